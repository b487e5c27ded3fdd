"""What all positions together are worth, those that are on their way included (RK-16)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from core.execution.ledger import Ledger
from core.model.order import OrderRequest
from core.model.values import ZERO, Money, Price, Symbol

Prices = Callable[[Symbol], tuple[datetime, Price] | None]


def exposure_of(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> Money:
    """USD, long and short added up: a position at its last price, or at what was paid where none is known.

    An entry that works counts at its limit; `but` and what that replaces are left out.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = sum((abs(p.quantity) * _price(prices(p.symbol), p.average_price) for p in ledger.positions()), ZERO)
    coming = sum(
        (order.remaining * order.share_counts for order in ledger.working_entries() if order.id not in left_out),
        ZERO,
    )
    return Money(held + coming)


def _price(last: tuple[datetime, Price] | None, paid: Price) -> Decimal:
    return paid if last is None else last[1]
