"""Working entries in groups of one symbol, side and strategy, with running sums (RK-21, RK-23).

Each key asks what all working entries cost and may lose. The sums of a group count every entry that has never filled
and belongs to no chain of replacements; the others are few, and the caller measures them one by one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from core.execution.order import Order
from core.model.order import Side
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money, Symbol

LeftOut = Collection[ClientOrderId | None]
"""Orders that a question leaves out: the asking order and the one that it replaces."""


class Figures(NamedTuple):
    """USD that limits count for the unfilled part of working entries: their cost, and their loss at the stop."""

    cost: Money = NO_MONEY
    loss: Money = NO_MONEY

    def plus(self, other: Figures) -> Figures:
        return Figures(Money(self.cost + other.cost), Money(self.loss + other.loss))

    def less(self, other: Figures) -> Figures:
        return Figures(Money(self.cost - other.cost), Money(self.loss - other.loss))


class EntryGroup:
    """Working entries of one symbol, side and strategy.

    Attributes
    ----------
    orders
        All of them, in the order in which they began to work.
    untouched
        Those that the sums count.
    touched
        The others: filled in part, a replacement, or about to be replaced.
    """

    __slots__ = ("_each", "_sums", "orders", "side", "strategy", "symbol", "touched", "untouched")

    def __init__(self, symbol: Symbol, side: Side, strategy: str) -> None:
        self.symbol, self.side, self.strategy = symbol, side, strategy
        self.orders: dict[ClientOrderId, Order] = {}
        self.untouched: dict[ClientOrderId, Order] = {}
        self.touched: dict[ClientOrderId, Order] = {}
        self._each: dict[ClientOrderId, Figures] = {}
        self._sums = Figures()

    def note(self, order: Order) -> None:
        """Count an entry as it is now."""
        self._forget(order.id)
        self.orders[order.id] = order
        if order.is_untouched:
            self.untouched[order.id] = order
            self._each[order.id] = figures = Figures(order.cost_to_come, order.loss_to_come)
            self._sums = self._sums.plus(figures)
        else:
            self.touched[order.id] = order

    def drop(self, order_id: ClientOrderId) -> None:
        self._forget(order_id)
        self.orders.pop(order_id, None)

    def _forget(self, order_id: ClientOrderId) -> None:
        self.touched.pop(order_id, None)
        if self.untouched.pop(order_id, None) is not None:
            figures = self._each.pop(order_id)
            self._sums = self._sums.less(figures) if self.untouched else Figures()

    def sums(self, left_out: LeftOut = ()) -> Figures:
        """Return the figures of the untouched entries."""
        sums = self._sums
        for order_id in left_out:
            if order_id in self._each:
                sums = sums.less(self._each[order_id])
        return sums

    def others(self, left_out: LeftOut = ()) -> list[Order]:
        """Return the entries that the sums do not count."""
        return [order for order_id, order in self.touched.items() if order_id not in left_out]

    def cost(self, left_out: LeftOut = ()) -> Money:
        """Return the cost of all its entries, USD."""
        return Money(self.sums(left_out).cost + sum((order.cost_to_come for order in self.others(left_out)), ZERO))

    def is_all(self, left_out: LeftOut) -> bool:
        """Whether nothing remains without these."""
        return self.orders.keys() <= set(left_out)
