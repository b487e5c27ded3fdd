"""Which watchlists there are: those that were kept, and the one that there always is (MD-06)."""

from __future__ import annotations

from core.model.values import Symbol
from core.model.watchlist import MAIN
from core.trading_state.state import TradingState


def lists_of(state: TradingState) -> dict[str, tuple[Symbol, ...]]:
    """`main` first: the symbols of the settings, until a list of that name is kept."""
    return {MAIN: tuple(map(Symbol, state.control.settings.symbols)), **state.watchlists.state.lists}
