"""What waits in its lane and what is on the wire, in virtual time: the same lanes as the live runtime's (EX-22)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.execution.lanes import Lane, lane_of, waiting_by_kind
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.model.order import OrderRequest

LAST_ANSWERS, LAST_STOPS = timedelta(seconds=1.5), timedelta(seconds=0.3)
"""How long a desk that leaves waits for its answers, and how much more while anything that only reduces is owed."""


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


class VirtualLanes:
    """`leave` is called with what is at the head of its lane and when it was taken in; it says what went out."""

    def __init__(self, leave: Callable[[Effect, Lane, datetime], Request | None]) -> None:
        self._leave = leave
        self._waiting: dict[Lane, deque[tuple[Effect, datetime]]] = {}
        self._out: dict[Lane, list[Request]] = {}

    def take(self, effect: Effect, at: datetime) -> None:
        """It leaves at once where its lane has a place, else when one is free."""
        lane = lane_of(effect)
        if len(self._out.get(lane, ())) >= lane.width:
            self._waiting.setdefault(lane, deque()).append((effect, at))
        else:
            self._go(lane, effect, at)

    def free(self, request: Request) -> None:
        """One of the lane's is over; the next leaves, and the one after it where that is kept back."""
        lane = request.lane
        self._out[lane].remove(request)
        waiting = self._waiting.get(lane)
        while waiting and len(self._out[lane]) < lane.width:
            self._go(lane, *waiting.popleft())
        if not waiting:
            self._waiting.pop(lane, None)
        if not self._out[lane]:
            del self._out[lane]

    def _go(self, lane: Lane, effect: Effect, at: datetime) -> None:
        if (request := self._leave(effect, lane, at)) is not None:
            self._out.setdefault(lane, []).append(request)

    def waiting(self) -> Iterator[Effect]:
        """What has not left yet, in order within each lane."""
        for queue in self._waiting.values():
            yield from (effect for effect, _ in queue)

    def depths(self) -> Counter[str]:
        """How much waits behind what is on the wire, by the kind of its lane."""
        return waiting_by_kind((lane, len(queue)) for lane, queue in self._waiting.items())

    def orders_waiting(self) -> list[SubmitOrder | ReplaceOrder]:
        return [effect for effect in self.waiting() if isinstance(effect, SubmitOrder | ReplaceOrder)]

    def out(self) -> Iterator[Request]:
        """What is on the wire."""
        for requests in self._out.values():
            yield from requests

    def orders_out(self) -> list[OrderRequest]:
        """Orders on the wire that nothing was heard of yet."""
        effects = (request.effect for request in self.out())
        return [effect.order for effect in effects if isinstance(effect, SubmitOrder | ReplaceOrder)]

    @property
    def awaits(self) -> bool:
        """Whether a desk that leaves has an answer to hear: to an order or a cancel."""
        return any(isinstance(effect, SubmitOrder | ReplaceOrder | CancelOrder) for effect in self._all())

    @property
    def awaits_exits(self) -> bool:
        orders = (effect for effect in self._all() if isinstance(effect, SubmitOrder | ReplaceOrder))
        return any(effect.order.effect.only_reduces for effect in orders)

    def _all(self) -> Iterator[Effect]:
        yield from (request.effect for request in self.out())
        yield from self.waiting()
