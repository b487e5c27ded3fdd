"""What all positions together are worth, those that are on their way included (RK-16)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.execution.ledger import Ledger
from core.model.order import OrderRequest
from core.model.position import Position
from core.model.values import ZERO, Money, Price, Symbol

Prices = Callable[[Symbol], tuple[datetime, Price] | None]


def exposure_of(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> Money:
    """USD, long and short added up: a position at its last price, or at what was paid where none is known.

    An entry that works counts at its limit; `but` and what that replaces are left out.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = sum((_worth(p, prices(p.symbol)) for p in ledger.positions()), ZERO)
    coming = sum((order.cost_to_come for order in ledger.working_entries() if order.id not in left_out), ZERO)
    return Money(held + coming)


def _worth(position: Position, last: tuple[datetime, Price] | None) -> Money:
    return position.instrument.notional(abs(position.quantity), position.average_price if last is None else last[1])
