"""What waits in its lane and what is on the wire, in virtual time: the same lanes as the live runtime's (EX-22)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from core.effects import Effect
from core.execution.lanes import Lane, lane_of


@dataclass(slots=True, eq=False)
class Request:
    """One that has left.

    Attributes
    ----------
    is_over
        It was answered or given up: its place in its lane is free.
    is_given_up
        Nothing came in time; what comes later is heard by nobody.
    """

    effect: Effect
    lane: Lane
    sent_at: datetime
    is_over: bool = False
    is_given_up: bool = False


class Lanes:
    """`leave` is called when a request is at the head of its lane; it says whether the request went out."""

    def __init__(self, leave: Callable[[Effect, Lane], bool]) -> None:
        self._leave = leave
        self._waiting: dict[Lane, deque[Effect]] = {}
        self._out: dict[Lane, int] = {}

    def take(self, effect: Effect) -> None:
        """It leaves at once where its lane has a place, else when one is free."""
        lane = lane_of(effect)
        out = self._out.get(lane, 0)
        if out >= lane.width:
            self._waiting.setdefault(lane, deque()).append(effect)
        elif self._leave(effect, lane):
            self._out[lane] = self._out.get(lane, 0) + 1

    def free(self, lane: Lane) -> None:
        """One of the lane's is over; the next leaves, and the one after it where that is kept back."""
        self._out[lane] -= 1
        waiting = self._waiting.get(lane)
        while waiting and self._out[lane] < lane.width:
            if self._leave(waiting.popleft(), lane):
                self._out[lane] += 1
        if not waiting:
            self._waiting.pop(lane, None)
        if not self._out[lane]:
            del self._out[lane]

    def waiting(self) -> Iterator[Effect]:
        """What has not left yet, in order within each lane."""
        for effects in self._waiting.values():
            yield from effects
