"""Exposure of all positions, of a symbol and of a sector, including working entries (RK-16, RK-23)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from core.execution.ledger import Ledger
from core.model.order import OrderRequest
from core.model.position import Position
from core.model.values import ZERO, Money, Price, Symbol

Prices = Callable[[Symbol], tuple[datetime, Price] | None]


def exposure_of(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> Money:
    """Sum long and short exposure in USD: positions at the last price, or at their average price if none is known.

    A working entry counts at its limit; `but` and the order it replaces are left out.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = sum((_worth(p, prices(p.symbol)) for p in ledger.positions()), ZERO)
    coming = sum((order.cost_to_come for order in ledger.working_entries() if order.id not in left_out), ZERO)
    return Money(held + coming)


def exposure_by_symbol(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> dict[Symbol, Money]:
    """Return the same exposure in USD per held or coming symbol."""
    left_out = () if but is None else (but.client_order_id, but.replaces)
    found: dict[Symbol, Money] = {}
    for position in ledger.positions():
        worth = _worth(position, prices(position.symbol))
        found[position.symbol] = Money(found.get(position.symbol, ZERO) + worth)
    for order in ledger.working_entries():
        if order.id not in left_out:
            symbol = order.request.symbol
            found[symbol] = Money(found.get(symbol, ZERO) + order.cost_to_come)
    return found


def exposure_by_sector(by_symbol: Mapping[Symbol, Money], sectors: Mapping[str, str]) -> dict[str, Money]:
    """Return USD per sector. A symbol without a sector is not grouped with others (RK-23)."""
    found: dict[str, Money] = {}
    for symbol, worth in by_symbol.items():
        if (sector := sectors.get(symbol)) is not None:
            found[sector] = Money(found.get(sector, ZERO) + worth)
    return found


def _worth(position: Position, last: tuple[datetime, Price] | None) -> Money:
    return position.instrument.notional(abs(position.quantity), position.average_price if last is None else last[1])
