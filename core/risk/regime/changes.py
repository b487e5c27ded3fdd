"""Regime changes from a history of the VIX and one of daily bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.model.regime import DailyBar, DailyValue, MarketMeasure, Trend, VixReading, Volatility
from core.model.values import Symbol
from core.risk.regime.market import MarketFold
from core.risk.regime.vix import USUAL, VixLevels, readings

Label = Trend | Volatility


@dataclass(frozen=True, slots=True)
class RegimeChange:
    """From the close of `day` on, `what` (vix, trend, volatility) is `after`; `before` is None for the first label.

    `measure` is the VIX in points, or the range against its average; None for a trend.
    """

    day: date
    what: str
    before: str | None
    after: str
    measure: Decimal | None


def vix_changes(history: Iterable[DailyValue], levels: VixLevels = USUAL) -> Iterator[RegimeChange]:
    last: VixReading | None = None
    for reading in readings(history, levels):
        if last is None or reading.level is not last.level:
            before = last.level.value if last is not None else None
            yield RegimeChange(reading.measured_on, "vix", before, reading.level.value, reading.value)
        last = reading


def market_changes(symbol: Symbol, bars: Iterable[DailyBar]) -> Iterator[RegimeChange]:
    """Yield changes of trend and of volatility, in order of time."""
    fold = MarketFold(symbol)
    trend: Trend | None = None
    volatility: Volatility | None = None
    for bar in bars:
        market = fold.take(bar)
        yield from _change(market, "trend", trend, market.trend, None)
        yield from _change(market, "volatility", volatility, market.volatility, market.atr_ratio)
        trend, volatility = market.trend, market.volatility


def _change(
    market: MarketMeasure, what: str, before: Label | None, after: Label | None, measure: Decimal | None
) -> Iterator[RegimeChange]:
    if after is not None and after is not before:
        yield RegimeChange(market.bars_to, what, before.value if before is not None else None, after.value, measure)
