"""The orders by which a sale and its replacements sell the same shares, by their names (EX-21)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from core.execution.order import Order
from core.model.values import ZERO, ClientOrderId


def grown(known: list[Order], names: set[ClientOrderId]) -> list[Order]:
    """Return the orders of these names, their legs and replacements; their names are added to `names`."""
    size = 0
    while size != len(names):
        size = len(names)
        names |= {
            order.id
            for order in known
            if order.request.replaces in names or (order.role is not None and order.parent in names)
        }
    return [order for order in known if order.id in names]


def sold_since(orders: Iterable[Order], sale: ClientOrderId, cancels: Iterable[ClientOrderId]) -> Decimal:
    """Return the shares that a sale has sold, and what it cancelled: stops, and earlier sales of the same shares.

    Its key counted those from before it with what was held then: the difference is what was sold since.
    """
    known = [order for order in orders if order.only_reduces]
    return sum((order.filled_quantity for order in grown(known, {sale, *cancels})), ZERO)
