"""The symbols whose bars affect decisions: traded ones, those that measure the market, and those held or ordered.

Their bars are recorded. Those of symbols that are only watched are sightings: the minutes of two hundred symbols would
fill a journal, and no decision needs them (MD-06).
"""

from __future__ import annotations

from core.model.instrument import AssetClass
from core.model.values import Symbol
from core.model.watchlist import SHARE
from core.trading_state.state import TradingState


def traded_symbols(state: TradingState) -> tuple[Symbol, ...]:
    """Return the settings' symbols first, in order, then the others.

    A position taken over, or a manual order, may be in a symbol that the settings do not name, and its stop is watched
    all the same (RK-08).
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
    """Whether no decision depends on its bars."""
    if symbol not in state.watchlists.symbols and not state.alerts.of(symbol):
        return False
    return symbol not in traded_symbols(state)


def is_a_share(state: TradingState, symbol: Symbol) -> bool:
    """Whether it is a share by the broker's listing, or by the form of its symbol if that is unknown."""
    listed = state.sightings.instruments.get(symbol)
    if listed is not None:
        return listed.asset_class is AssetClass.STOCK
    return SHARE.fullmatch(symbol) is not None
