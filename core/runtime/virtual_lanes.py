"""Queued and sent requests in virtual time, in the same lanes as in the live runtime (EX-22)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.execution.lanes import Lane, lane_of, waiting_by_kind
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.model.order import OrderRequest

LAST_ANSWERS, LAST_STOPS = timedelta(seconds=1.5), timedelta(seconds=0.3)
"""How long a leaving desk waits for answers, and the extra time while a reducing order is due."""


@dataclass(slots=True, eq=False)
class Request:
    """A request that has been sent.

    Attributes
    ----------
    is_over
        It was answered or given up: its place in its lane is free.
    is_given_up
        It timed out; a later answer is ignored.
    """

    effect: Effect
    lane: Lane
    sent_at: datetime
    is_over: bool = False
    is_given_up: bool = False


class VirtualLanes:
    """`leave` is called with the head of a lane and its queuing time; it returns the sent request, or None."""

    def __init__(self, leave: Callable[[Effect, Lane, datetime], Request | None]) -> None:
        self._leave = leave
        self._waiting: dict[Lane, deque[tuple[Effect, datetime]]] = {}
        self._out: dict[Lane, list[Request]] = {}

    def take(self, effect: Effect, at: datetime) -> None:
        """Send an effect at once if its lane has a free place, otherwise when one is free."""
        lane = lane_of(effect)
        if len(self._out.get(lane, ())) >= lane.width:
            self._waiting.setdefault(lane, deque()).append((effect, at))
        else:
            self._go(lane, effect, at)

    def free(self, request: Request) -> None:
        """Free a request's place; the next one leaves, and another one if that is kept back."""
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
        """Yield the queued effects, in order within each lane."""
        for queue in self._waiting.values():
            yield from (effect for effect, _ in queue)

    def depths(self) -> Counter[str]:
        """Return the number of queued effects, by the kind of their lane."""
        return waiting_by_kind((lane, len(queue)) for lane, queue in self._waiting.items())

    def orders_waiting(self) -> list[SubmitOrder | ReplaceOrder]:
        return [effect for effect in self.waiting() if isinstance(effect, SubmitOrder | ReplaceOrder)]

    def out(self) -> Iterator[Request]:
        """Yield the sent requests without an answer."""
        for requests in self._out.values():
            yield from requests

    def orders_out(self) -> list[OrderRequest]:
        """Return the sent orders without an answer."""
        effects = (request.effect for request in self.out())
        return [effect.order for effect in effects if isinstance(effect, SubmitOrder | ReplaceOrder)]

    @property
    def awaits(self) -> bool:
        """Whether an answer to an order or a cancel is outstanding."""
        return any(isinstance(effect, SubmitOrder | ReplaceOrder | CancelOrder) for effect in self._all())

    @property
    def awaits_exits(self) -> bool:
        orders = (effect for effect in self._all() if isinstance(effect, SubmitOrder | ReplaceOrder))
        return any(effect.order.effect.only_reduces for effect in orders)

    def _all(self) -> Iterator[Effect]:
        yield from (request.effect for request in self.out())
        yield from self.waiting()
