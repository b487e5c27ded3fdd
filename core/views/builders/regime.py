"""Build the regime rows among the guards: the measurement and its day (RK-19), once it is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from core.model.sizing import MarketMeasure, Regime, VixReading
from core.risk.regime import market_in_words, points
from core.views import ProtectionRow


def regime_rows(regime: Regime, today: date) -> Iterator[ProtectionRow]:
    """Yield the rows; none is ever tripped: the VIX warns, and the range sets the number of entries."""
    vix, market = regime.vix, regime.market
    if isinstance(vix, VixReading):
        age = (today - vix.measured_on).days
        yield _row("vix", "VIX", f"{points(vix.value)} {vix.level.value}", f"measured at the close {age} d ago")
    if isinstance(market, MarketMeasure):
        ratio = market.atr_ratio
        measure = "no average yet" if ratio is None else f"{points(ratio)} × average"
        yield _row("market", f"{market.symbol} range", measure, market_in_words(regime))


def _row(key: str, name: str, measure: str, reason: str) -> ProtectionRow:
    return ProtectionRow(key, name, measure, None, False, reason, None, None)
