"""Notices about the market regime: a change of its labels, and a high VIX while nobody acts (SY-03, RK-19)."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.regime import MarketMeasure, Regime, VixLevel, VixReading
from core.model.session import Session
from core.trading_state.state import TradingState

REGIME, CRISIS = "regime", "crisis"
"""The matters of these notices."""
WITHOUT_ACTION = timedelta(minutes=30)
"""A high VIX for so long, with shares held and no key pressed, is urgent."""


def is_high(regime: Regime) -> bool:
    return isinstance(regime.vix, VixReading) and regime.vix.level is VixLevel.HIGH


def labels_in_words(regime: Regime) -> str:
    """`market regime: VIX high, SPY trend down, volatility wild`. No figures: only another label is news."""
    vix = regime.vix.level.value if isinstance(regime.vix, VixReading) else "unknown"
    market = regime.market
    if not isinstance(market, MarketMeasure) or market.trend is None or market.volatility is None:
        return f"market regime: VIX {vix}"
    return f"market regime: VIX {vix}, {market.symbol} trend {market.trend.value}, volatility {market.volatility.value}"


def unattended_since(state: TradingState) -> datetime | None:
    """When the time without an action began, in a session with a high VIX and shares held; None in any other."""
    if not is_high(state.regime.regime) or not any(position.quantity for position in state.ledger.positions()):
        return None
    session = state.calendar.session_at(state.at)
    if not isinstance(session, Session):
        return None
    told = state.notifications.state.matters.get(REGIME)
    times = (told.notice.at if told else None, state.attendance.state.key_at, state.sightings.key_at)
    return max((session.open, *(at for at in times if at is not None)))
