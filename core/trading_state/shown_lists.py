"""The existing watchlists: the operator's lists, and the default one (MD-06)."""

from __future__ import annotations

from core.model.values import Symbol
from core.model.watchlist import MAIN
from core.trading_state.state import TradingState


def lists_of(state: TradingState) -> dict[str, tuple[Symbol, ...]]:
    """Return the lists, `main` first: the symbols of the settings, unless the operator keeps a list of that name."""
    return {MAIN: tuple(map(Symbol, state.control.settings.symbols)), **state.watchlists.state.lists}
