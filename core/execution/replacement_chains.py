"""Orders that were sent one in the place of another: which of them stands, and which is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from core.execution.ledger_state import LedgerIndex
from core.execution.order import Order
from core.model.order import OrderStatus


class ReplacementChains:
    """By the orders' own marks: what each replaces, what was sent to replace it, and what did."""

    def __init__(self, index: LedgerIndex) -> None:
        self.index = index

    def predecessor(self, order: Order) -> Order | None:
        """The order that this one was sent to replace, working or not."""
        return self.index.orders.get(order.request.replaces) if order.request.replaces is not None else None

    def replaced(self, order: Order) -> Order | None:
        """The working order that this one was sent to replace; None once that has ended, or where it replaces none."""
        old = self.predecessor(order)
        return old if old is not None and old.is_working else None

    def is_forestalled(self, order: Order) -> bool:
        """Whether the order that it was sent to replace has ended in another way: no broker takes it any more."""
        old = self.predecessor(order)
        return old is not None and old.status.is_terminal and not old.made_way

    def replacement(self, order: Order) -> Order | None:
        """The working order that was sent to take this one's place, or the place of one that did."""
        following = order.replacement or order.replaced_by
        while following is not None and (found := self.index.orders.get(following)) is not None:
            if found.is_working:
                return found
            following = found.replacement or found.replaced_by
        return None

    def is_in_doubt(self, order: Order) -> bool:
        """Whether it was sent and never answered, unless the broker says of the old one that another took its place."""
        old = self.predecessor(order)
        is_there = old is not None and old.made_way
        return order.status is OrderStatus.PENDING and order.in_doubt_since is not None and not is_there

    def has_filled_on(self, day: date, order: Order) -> bool:
        """Whether it was filled on a day, in part, or an order whose place it took, or that took its own: that counted.

        The broker's word on the older one may come later than on the one that took its place.
        """
        return any(o.last_filled_on == day for o in (order, *self.line(order)))

    def line(self, order: Order) -> Iterator[Order]:
        """Every order before this one and after it in the same place, working or not."""
        before = self.predecessor(order)
        while before is not None:
            yield before
            before = self.predecessor(before)
        following = order.replacement or order.replaced_by
        while following is not None and (after := self.index.orders.get(following)) is not None:
            yield after
            following = after.replacement or after.replaced_by
