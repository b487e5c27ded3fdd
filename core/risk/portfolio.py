"""What all positions together are worth, and those of a symbol or a sector, with those on their way (RK-16, RK-23)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def exposures_of(
    symbol: Symbol, sectors: Mapping[str, str], ledger: Ledger, prices: Prices, but: OrderRequest | None = None
) -> tuple[Money, Money]:
    """USD of a symbol, and of the sector that it is in, added up in the same way.

    A symbol without a sector is one by itself: what nobody put together is not taken to be alike.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    sector = sectors.get(symbol)
    own, together = ZERO, ZERO
    for position in ledger.positions():
        if position.symbol == symbol or (sector is not None and sectors.get(position.symbol) == sector):
            worth = _worth(position, prices(position.symbol))
            together += worth
            own += worth if position.symbol == symbol else ZERO
    for order in ledger.working_entries():
        of = order.request.symbol
        if order.id not in left_out and (of == symbol or (sector is not None and sectors.get(of) == sector)):
            together += order.cost_to_come
            own += order.cost_to_come if of == symbol else ZERO
    return Money(own), Money(together)


def _worth(position: Position, last: tuple[datetime, Price] | None) -> Money:
    return position.instrument.notional(abs(position.quantity), position.average_price if last is None else last[1])
