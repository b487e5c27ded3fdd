"""The ledger's state, and the index derived from its orders, shared by its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from core.execution.order import Order
from core.model.position import AnyTrade, Position
from core.model.staging import Approval
from core.model.values import NO_MONEY, ClientOrderId, ExecutionId, Money, Quantity, Symbol

UNKNOWN_OWNER = "broker"
"""Strategy name of a position taken over from the broker's books that has no owner."""


def position_key(symbol: Symbol, strategy: str) -> str:
    return f"{symbol}/{strategy}"


@dataclass(frozen=True, slots=True)
class TakenOff:
    """Shares that a correction removed from a position, as it was before; `quantity` is below zero for a short."""

    position: Position
    quantity: Quantity
    at: datetime


@dataclass(slots=True)
class LedgerState:
    """The ledger's state.

    `positions` is keyed `SYMBOL/strategy`; flat ones are not kept. Orders that ended before today leave once nothing
    depends on them, and after a week in any case; those that never arrived are kept longer. `forgotten` is the number
    of those that left, with the sum of all of them: the index of past orders has them whole, and no id is used again.
    `trades` has those of today, and `taken_off` the shares that corrections removed today. For an order not recorded
    yet, `permits` has its approval, and `redeemed` the stop that it reduces.
    """

    orders: dict[ClientOrderId, Order] = field(default_factory=dict)
    forgotten: int = 0
    forgotten_sum: str = ""
    executions: dict[ExecutionId, ClientOrderId] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    trades: list[AnyTrade] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    entries_day: date | None = None
    closed_profit: Money = NO_MONEY
    closed_day: date | None = None
    redeemed: dict[ClientOrderId, ClientOrderId] = field(default_factory=dict)
    permits: dict[ClientOrderId, Approval] = field(default_factory=dict)
    orders_sent: int = 0
    updates_ignored: int = 0
    taken_off: dict[str, TakenOff] = field(default_factory=dict)

    def position(self, symbol: Symbol, strategy: str) -> Position | None:
        return self.positions.get(position_key(symbol, strategy))

    def positions_in(self, symbol: Symbol) -> tuple[Position, ...]:
        return tuple(p for p in self.positions.values() if p.symbol == symbol)


class LedgerIndex:
    """The state with its indexes: the order sequence, working orders, reduced stops, and legs by parent."""

    def __init__(self) -> None:
        self.restore(LedgerState())

    def restore(self, state: LedgerState) -> None:
        """Restore a saved state and rebuild the indexes."""
        self.state = state
        self.working = {order.id: order for order in state.orders.values() if order.is_working}
        self.cut = {order.id: order for order in state.orders.values() if order.is_cut}
        self.places: dict[ClientOrderId, int] = {}
        self.legs: dict[ClientOrderId, dict[ClientOrderId, Order]] = {}
        for order in state.orders.values():
            self.enter(order)

    @property
    def orders(self) -> dict[ClientOrderId, Order]:
        """Return the orders, oldest first."""
        return self.state.orders

    def enter(self, order: Order) -> None:
        """Index an order: its place in the sequence, and its parent if it is a leg."""
        self.places[order.id] = next(reversed(self.places.values()), 0) + 1
        if order.role is not None and order.parent is not None:
            self.legs.setdefault(order.parent, {})[order.id] = order

    def leave(self, order: Order) -> None:
        del self.state.orders[order.id], self.places[order.id]
        self.cut.pop(order.id, None)
        if order.role is not None and order.parent is not None:
            its = self.legs[order.parent]
            del its[order.id]
            if not its:
                del self.legs[order.parent]

    def note_cut(self, order: Order) -> None:
        if order.is_cut:
            self.cut[order.id] = order
        else:
            self.cut.pop(order.id, None)
