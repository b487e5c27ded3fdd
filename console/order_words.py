"""Describe an order in questions and results."""

from __future__ import annotations

from core.views import OrderRow
from widgets import format as f


def order_in_words(order: OrderRow) -> str:
    """Format `BUY 47 SPY limit 166.76`."""
    what = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol}"
    return f"{what} {f.terms(order.terms)}"
