"""Chains of orders that replace each other: which one is valid, and which is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from core.execution.ledger_state import LedgerIndex
from core.execution.order import Order
from core.model.order import OrderStatus


class ReplacementChains:
    """Uses the orders' own marks: which order each replaces, its pending replacement, and its replacement."""

    def __init__(self, index: LedgerIndex) -> None:
        self.index = index

    def predecessor(self, order: Order) -> Order | None:
        """Return the order that this one was sent to replace, working or not."""
        return self.index.orders.get(order.request.replaces) if order.request.replaces is not None else None

    def replaced(self, order: Order) -> Order | None:
        """Return the working order that this one was sent to replace; None if that has ended, or it replaces none."""
        old = self.predecessor(order)
        return old if old is not None and old.is_working else None

    def is_forestalled(self, order: Order) -> bool:
        """Whether the order that it was to replace ended otherwise: no broker accepts it any more."""
        old = self.predecessor(order)
        return old is not None and old.status.is_terminal and not old.made_way

    def replacement(self, order: Order) -> Order | None:
        """Return the working order that was sent to replace this one, or one of its replacements."""
        following = order.replacement or order.replaced_by
        while following is not None and (found := self.index.orders.get(following)) is not None:
            if found.is_working:
                return found
            following = found.replacement or found.replaced_by
        return None

    def is_in_doubt(self, order: Order) -> bool:
        """Whether nobody knows that the broker has it: it has no answer, or the broker does not know it any more.

        The first not if the broker reports the old one as replaced.
        """
        if order.in_doubt_since is None or not order.is_working:
            return False
        old = self.predecessor(order)
        return order.status is not OrderStatus.PENDING or old is None or not old.made_way

    def has_filled_on(self, day: date, order: Order) -> bool:
        """Whether it or another order of its chain was filled on a day, at least in part.

        The broker's report on the older order may come later than on its replacement.
        """
        return any(o.last_filled_on == day for o in (order, *self.line(order)))

    def line(self, order: Order) -> Iterator[Order]:
        """Yield every order before and after this one in its chain, working or not."""
        before = self.predecessor(order)
        while before is not None:
            yield before
            before = self.predecessor(before)
        following = order.replacement or order.replaced_by
        while following is not None and (after := self.index.orders.get(following)) is not None:
            yield after
            following = after.replacement or after.replaced_by
