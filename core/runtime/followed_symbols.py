"""Whose quotes and bars a desk needs: what it trades, what the market is measured by, and whatever it holds (RK-08).

A position that was taken over, or an order that was typed, may be in a symbol that the settings do not name: its stop
is watched all the same, and its price is known. A symbol that is followed once stays so until the desk leaves.
"""

from __future__ import annotations

import re

from core.model.instrument import AssetClass
from core.model.values import Symbol
from core.trading_state.state import TradingState

OF_SHARES = re.compile(r"[A-Z]{1,5}([.][A-Z]{1,2})?")
"""How shares are written, and no option and no coin, which an account may hold too."""


def followed(state: TradingState) -> tuple[Symbol, ...]:
    """The settings' symbols first, in their order, then the others."""
    settings = state.control.settings
    wanted = [Symbol(text) for text in settings.symbols]
    halt = settings.risk.protections.volatility_halt
    if halt.enabled:
        wanted.append(Symbol(halt.market))
    held = {*(position.symbol for position in state.ledger.positions()), *(state.sightings.held_by_the_broker or ())}
    held |= {order.request.symbol for order in state.ledger.working()}
    wanted += sorted(symbol for symbol in held if is_a_share(state, symbol))
    return tuple(dict.fromkeys(wanted))


def is_a_share(state: TradingState, symbol: Symbol) -> bool:
    """As the broker lists it; by the look of its symbol where it has not said."""
    listed = state.sightings.instruments.get(symbol)
    if listed is not None:
        return listed.asset_class is AssetClass.STOCK
    return OF_SHARES.fullmatch(symbol) is not None
