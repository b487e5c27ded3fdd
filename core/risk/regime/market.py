"""A market's trend and volatility, folded from its daily bars, with hysteresis (RK-19).

Volatility is the average true range over 14 days, with Wilder's smoothing (J. Welles Wilder, New Concepts in Technical
Trading Systems, 1978), against its own mean of 50 days. Over 1.5 and under 0.8 are the borders of RK-12. The trend is
by the closes' means of 50 and 200 days, the usual pair of charts: up if the close is above both and the fast one above
the slow one, down if all of this is reversed, else sideways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.model.regime import DailyBar, MarketMeasure, NoMarket, Trend, Volatility
from core.model.values import Price, Symbol

ATR_DAYS = 14
AVERAGE_DAYS = 50
"""Days of the range's mean.

Our choice: a season. SPY was over 1.5 × it on one day in twenty (2008 to 2021), for five weeks on end in 2008 and for
six in 2020; over a mean of a year it was for three months in 2011 and again in 2018.
"""
FAST_DAYS, SLOW_DAYS = 50, 200
CONFIRMING_DAYS = 3
"""Closes in a row that must agree on another trend. Our choice: a day or two across an average is noise."""

WILD_OVER, CALM_UNDER = Decimal("1.5"), Decimal("0.8")
WILD_UNTIL, CALM_UNTIL = Decimal("1.35"), Decimal("0.88")
"""A tenth back from the border ends the label. Our choice."""
ENOUGH = SLOW_DAYS + CONFIRMING_DAYS
"""Bars after which every label is known."""
STEP = Decimal("0.000001")
"""Rounding of the range, USD."""


@dataclass(slots=True)
class MarketFold:
    """The state needed to judge the next bar."""

    symbol: Symbol
    bars_to: date | None = None
    close: Price | None = None
    ranges: list[Decimal] = field(default_factory=list)
    atr: Decimal | None = None
    atrs: deque[Decimal] = field(default_factory=lambda: deque(maxlen=AVERAGE_DAYS))
    closes: deque[Price] = field(default_factory=lambda: deque(maxlen=SLOW_DAYS))
    trend: Trend | None = None
    other_trend: Trend | None = None
    other_days: int = 0
    volatility: Volatility | None = None

    def take(self, bar: DailyBar) -> MarketMeasure:
        """Return the labels after one more session.

        Raises
        ------
        ValueError
            The bar is not of a later day than the last.
        """
        if self.bars_to is not None and bar.day <= self.bars_to:
            raise ValueError(f"daily bar of {bar.day} after that of {self.bars_to}")
        self._take_range(bar)
        self.bars_to, self.close = bar.day, bar.close
        self.closes.append(bar.close)
        self._take_trend(bar.close)
        self._take_volatility()
        return MarketMeasure(self.symbol, bar.day, self.trend, self.volatility, self.atr, self.atr_average)

    @property
    def atr_average(self) -> Decimal | None:
        if len(self.atrs) < AVERAGE_DAYS:
            return None
        return (sum(self.atrs, Decimal(0)) / AVERAGE_DAYS).quantize(STEP)

    def _take_range(self, bar: DailyBar) -> None:
        """Add a true range, which spans the gap from the close before; the first bar has none."""
        if self.close is None:
            return
        span = max(bar.high, self.close) - min(bar.low, self.close)
        if self.atr is not None:
            self.atr = ((self.atr * (ATR_DAYS - 1) + span) / ATR_DAYS).quantize(STEP)
        else:
            self.ranges.append(span)
            if len(self.ranges) < ATR_DAYS:
                return
            self.atr = (sum(self.ranges, Decimal(0)) / ATR_DAYS).quantize(STEP)
            self.ranges.clear()
        self.atrs.append(self.atr)

    def _take_trend(self, close: Price) -> None:
        if len(self.closes) < SLOW_DAYS:
            return
        found = _trend(close, _mean(list(self.closes)[-FAST_DAYS:]), _mean(list(self.closes)))
        if self.trend is None or found is self.trend:
            self.trend, self.other_trend, self.other_days = found, None, 0
            return
        self.other_days = self.other_days + 1 if found is self.other_trend else 1
        self.other_trend = found
        if self.other_days >= CONFIRMING_DAYS:
            self.trend, self.other_trend, self.other_days = found, None, 0

    def _take_volatility(self) -> None:
        average = self.atr_average
        if self.atr is None or not average:
            return
        ratio = self.atr / average
        wild = WILD_UNTIL if self.volatility is Volatility.WILD else WILD_OVER
        calm = CALM_UNTIL if self.volatility is Volatility.CALM else CALM_UNDER
        if ratio > wild:
            self.volatility = Volatility.WILD
        else:
            self.volatility = Volatility.CALM if ratio < calm else Volatility.USUAL


def market_of(symbol: Symbol, bars: Iterable[DailyBar]) -> MarketMeasure | NoMarket:
    """Return the labels after the last of these bars."""
    fold, market = MarketFold(symbol), None
    for bar in bars:
        market = fold.take(bar)
    return market or NoMarket(f"there are no daily bars of {symbol}")


def _trend(close: Decimal, fast: Decimal, slow: Decimal) -> Trend:
    if close > fast > slow:
        return Trend.UP
    return Trend.DOWN if close < fast < slow else Trend.SIDEWAYS


def _mean(prices: list[Price]) -> Decimal:
    return sum(prices, Decimal(0)) / len(prices)
