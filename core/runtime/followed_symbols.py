"""Whose quotes and bars a desk is told: what it decides by, and what its operator watches (RK-08, MD-06).

A symbol that is followed once stays so until the engine ends.
"""

from __future__ import annotations

from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.trading_state.traded_symbols import traded_symbols


def followed(state: TradingState) -> tuple[Symbol, ...]:
    """What is watched comes last: a plan that has room for fewer lacks those."""
    return tuple(dict.fromkeys((*traded_symbols(state), *state.alerts.symbols, *state.watchlists.symbols)))
