"""What waits for what on its way out, from outside: the requests alone, and which of them is on the wire (EX-22)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchBooks,
    LatchKill,
    LookUpOrder,
    ReleaseKill,
    ReplaceOrder,
    SendNotification,
    SubmitOrder,
    WithdrawOrder,
)
from core.model.order import OrderStatus
from core.model.values import ClientOrderId
from core.runtime import virtual_time
from core.runtime.virtual_time import Request

if TYPE_CHECKING:
    from simulation.world import World

SLACK = timedelta(seconds=1)
UNASKED = timedelta(seconds=12)
"""An order that is in doubt for so long beyond the longest wait, and that nobody asks for, is forgotten."""


class LaneWatch:
    """Of one process.

    Attributes
    ----------
    asked, left
        Orders that the engine asked to be sent, and those that were.
    met
        What waited for what.
    """

    def __init__(self, world: World, met: Counter[str]) -> None:
        self.world = world
        self.asked: set[ClientOrderId] = set()
        self.left: set[ClientOrderId] = set()
        self.met = met
        self._latest: dict[int, tuple[Effect, datetime]] = {}
        self._doubted: dict[ClientOrderId, datetime] = {}

    def asks(self, effect: Effect, at: datetime) -> None:
        """Before it is given to its lane."""
        if isinstance(effect, LatchKill | ReleaseKill | SendNotification | WithdrawOrder):
            return
        if isinstance(effect, SubmitOrder | ReplaceOrder):
            self.asked.add(effect.order.client_order_id)
        elif isinstance(effect, LookUpOrder) and effect.client_order_id in self._doubted:
            self._doubted[effect.client_order_id] = at
        elif isinstance(effect, FetchBooks):
            self._doubted = dict.fromkeys(self._doubted, at)
        lane = virtual_time.lane_of(effect)
        blockers = [request.effect for request in self.world.wire.lanes.out() if request.lane == lane]
        if len(blockers) < lane.width:
            return
        queued = [other for other in self.world.wire.lanes.waiting() if virtual_time.lane_of(other) == lane]
        before = [*blockers, *queued]
        timeout = self.world.line.timeout
        self._latest[id(effect)] = effect, at + timeout * len(before) + SLACK  # kept, so that its id is no other's
        self.met[f"{role_of(effect)} waited in its lane"] += 1
        for other in before:
            if not _may_wait_for(effect, other):
                self.world.auditor.wrong.append(f"{words_of(effect)} waits for {words_of(other)}")

    def leaves(self, request: Request) -> None:
        effect, wrong = request.effect, self.world.auditor.wrong
        _, latest = self._latest.pop(id(effect), (None, None))
        if latest is not None and request.sent_at > latest and is_way_out(effect):
            wrong.append(f"{words_of(effect)} waited in its lane for longer than those before it may take")
        if isinstance(effect, SubmitOrder | ReplaceOrder):
            self.left.add(effect.order.client_order_id)
            seen = self.world.auditor.story.orders.get(effect.order.client_order_id)
            if seen is not None and seen.status is not OrderStatus.PENDING:
                wrong.append(f"{words_of(effect)} leaves, and it is {seen.status.value} ({seen.reason})")

    def doubts(self, order_id: ClientOrderId, at: datetime) -> None:
        """Nobody knows whether the broker has it."""
        self._doubted.setdefault(order_id, at)

    def keeps(self, order_id: ClientOrderId) -> None:
        """The broker does not have it, and the desk sends it again later."""
        self._doubted.pop(order_id, None)

    def look(self, at: datetime) -> None:
        """Time passed: what is in doubt was asked for."""
        if not self._doubted:
            return
        orders = self.world.auditor.story.orders
        limits = self.world.engine.state.control.settings.execution
        longest = timedelta(seconds=float(limits.look_up_longest_seconds)) + UNASKED
        for order_id, since in list(self._doubted.items()):
            if orders[order_id].status is not OrderStatus.PENDING:
                del self._doubted[order_id]
            elif at - since > longest:
                del self._doubted[order_id]
                self.world.auditor.wrong.append(f"order {order_id} is in doubt, and nobody asks for it")

    def has_not_left(self, order_id: ClientOrderId) -> bool:
        """Whether this process was to send it, and has not."""
        return order_id in self.asked and order_id not in self.left

    @property
    def is_hung(self) -> bool:
        """Whether anything waits for a place."""
        return any(True for _ in self.world.wire.lanes.waiting())


def is_way_out(effect: Effect) -> bool:
    """A cancel, or what only reduces."""
    if isinstance(effect, SubmitOrder | ReplaceOrder):
        return effect.order.effect.only_reduces
    return isinstance(effect, CancelOrder)


def role_of(effect: Effect) -> str:
    match effect:
        case SubmitOrder() | ReplaceOrder():
            if not effect.order.effect.only_reduces:
                return "an entry"
            return "a stop" if effect.order.type.is_stop else "an exit"
        case CancelOrder():
            return "a cancel"
    return "a question"


def words_of(effect: Effect) -> str:
    match effect:
        case SubmitOrder() | ReplaceOrder():
            return f"{role_of(effect)} of {effect.order.symbol} ({effect.order.client_order_id})"
        case CancelOrder():
            return f"a cancel of {effect.client_order_id}"
    return f"a question ({type(effect).__name__})"


def _may_wait_for(effect: Effect, other: Effect) -> bool:
    """An entry for anything that opens; what reduces for its own symbol; a cancel for those of its order; a question
    for questions.
    """
    match effect:
        case CancelOrder():
            return isinstance(other, CancelOrder) and other.client_order_id == effect.client_order_id
        case SubmitOrder() | ReplaceOrder():
            is_order = isinstance(other, SubmitOrder | ReplaceOrder)
            if not effect.order.effect.only_reduces:
                return is_order and not is_way_out(other)
            return is_order and is_way_out(other) and other.order.symbol == effect.order.symbol
    return not isinstance(other, CancelOrder | SubmitOrder | ReplaceOrder)
