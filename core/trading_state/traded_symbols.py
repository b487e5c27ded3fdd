"""Whose bars this desk decides by: what it trades, what the market is measured by, whatever it holds or ordered.

These are recorded. What is only watched is a sighting: the minutes of two hundred symbols would fill a journal, and
nobody decides by them (MD-06).
"""

from __future__ import annotations

from core.model.instrument import AssetClass
from core.model.values import Symbol
from core.model.watchlist import SHARE
from core.trading_state.state import TradingState


def traded_symbols(state: TradingState) -> tuple[Symbol, ...]:
    """The settings' symbols first, in their order, then the others: a position that was taken over, or an order that
    was typed, may be in a symbol that the settings do not name, and its stop is watched all the same (RK-08).
    """
    settings = state.control.settings
    wanted = [Symbol(text) for text in settings.symbols]
    halt = settings.risk.protections.volatility_halt
    if halt.enabled:
        wanted.append(Symbol(halt.market))
    held = {*(position.symbol for position in state.ledger.positions()), *(state.sightings.held_by_the_broker or ())}
    held |= {order.request.symbol for order in state.ledger.working()}
    wanted += sorted(symbol for symbol in held if is_a_share(state, symbol))
    return tuple(dict.fromkeys(wanted))


def is_only_watched(state: TradingState, symbol: Symbol) -> bool:
    """Whether nothing is decided by its bars."""
    if symbol not in state.watchlists.symbols and not state.alerts.of(symbol):
        return False
    return symbol not in traded_symbols(state)


def is_a_share(state: TradingState, symbol: Symbol) -> bool:
    """As the broker lists it; by the look of its symbol where it has not said."""
    listed = state.sightings.instruments.get(symbol)
    if listed is not None:
        return listed.asset_class is AssetClass.STOCK
    return SHARE.fullmatch(symbol) is not None
