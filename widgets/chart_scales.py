"""Bars of a timeframe with the curves over them, and the scales of a chart.

A curve has no value until its window is full.

A scale changes in steps and stays while new bars fit, so the chart does not move with every bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import accumulate

from core.model.bar import ONE_MINUTE
from core.model.instrument import STOCK_TICKS
from core.model.session import HOME
from core.model.values import Price, Quantity
from core.views import ChartBar, ChartView

HOUR, DAY = 60, 24 * 60
TIMEFRAMES = (1, 5, 15, HOUR, DAY)
"""Minutes of one bar; hours and days reach back before the session."""
OVERLAYS = ("VWAP", "averages", "Bollinger", "volume", "none")
SHORT, LONG, BANDS = 20, 50, 2
"""Bars of the two averages, and the distance of the bands in standard deviations; the bands use the short window."""

Curve = tuple[Decimal | None, ...]
"""One value for each bar, or None."""
Overlay = tuple[str, Curve]
"""A curve with its label at the edge."""


@dataclass(frozen=True, slots=True)
class Candle:
    """A bar of one timeframe, as far as its minutes are known.

    Attributes
    ----------
    end
        Its end, exclusive.
    vwap
        The VWAP of the session at its last minute.
    forms
        Whether more minutes may follow: it is the last bar, and its last minute is missing.
    """

    start: datetime
    end: datetime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity
    vwap: Price | None
    forms: bool = False


def candles_of(bars: Sequence[ChartBar], minutes: int, before: Sequence[ChartBar] = ()) -> tuple[Candle, ...]:
    """Group minute bars into candles of a timeframe.

    Candles begin at multiples of the timeframe on the market's clock: the first hour of a session that opens at 09:30
    has thirty minutes. Bars in `before` have the timeframe already and belong to earlier sessions.
    """
    made = [_whole(bar, minutes) for bar in before]
    for bar in bars:
        if made and bar.start < made[-1].end:
            made[-1] = _with(made[-1], bar)
            continue
        local = HOME.local(bar.start)
        start = bar.start - timedelta(minutes=(local.hour * 60 + local.minute) % minutes)
        end = start + minutes * ONE_MINUTE
        made.append(Candle(start, end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.reference))
    if bars and bars[-1].start + ONE_MINUTE < made[-1].end:
        made[-1] = replace(made[-1], forms=True)
    return tuple(made)


def behind(chart: ChartView, minutes: int) -> tuple[ChartBar, ...]:
    """Return the bars of earlier sessions in that timeframe."""
    return chart.days if minutes == DAY else chart.hours if minutes == HOUR else ()


def _whole(bar: ChartBar, minutes: int) -> Candle:
    end = bar.start + minutes * ONE_MINUTE
    return Candle(bar.start, end, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.reference)


def _with(candle: Candle, bar: ChartBar) -> Candle:
    return replace(
        candle,
        high=max(candle.high, bar.high),
        low=min(candle.low, bar.low),
        close=bar.close,
        volume=Quantity(candle.volume + bar.volume),
        vwap=bar.reference,
    )


def curves(candles: Sequence[Candle], overlay: str) -> tuple[Overlay, ...]:
    """Return the curves of an overlay, each with its label. Volume has none; it is drawn at the bottom."""
    closes = [candle.close for candle in candles]
    if overlay == "VWAP":
        return (("VWAP", tuple(candle.vwap for candle in candles)),)
    if overlay == "averages":
        return (("av20", average(closes, SHORT)), ("av50", average(closes, LONG)))
    if overlay == "Bollinger":
        upper, lower = bollinger(closes, SHORT, BANDS)
        return (("upper", upper), ("av20", average(closes, SHORT)), ("lower", lower))
    return ()


def average(closes: Sequence[Decimal], window: int) -> Curve:
    """Return the simple moving average: the mean of the last `window` closes.

    Source: Murphy, Technical Analysis of the Financial Markets, 1999, chapter 9.
    """
    sums = [Decimal(0), *accumulate(closes)]
    return tuple(
        None if end < window else (sums[end] - sums[end - window]) / window for end in range(1, len(closes) + 1)
    )


def bollinger(closes: Sequence[Decimal], window: int, times: int) -> tuple[Curve, Curve]:
    """Return the average plus and minus `times` standard deviations of the same closes.

    The deviation divides by `window`, not by `window - 1` (Bollinger on Bollinger Bands, 2001, chapter 7).
    """
    means = average(closes, window)
    squares = average([close * close for close in closes], window)
    spans = [
        None if mean is None or square is None else times * max(Decimal(0), square - mean * mean).sqrt()
        for mean, square in zip(means, squares, strict=True)
    ]
    pairs = [
        (None, None) if mean is None or span is None else (mean + span, mean - span)
        for mean, span in zip(means, spans, strict=True)
    ]
    return tuple(upper for upper, _ in pairs), tuple(lower for _, lower in pairs)


DOTS_DOWN, DOTS_ACROSS = 4, 2
"""Dots of one cell."""
LINES_A_LABEL = 4
"""Approximate number of lines between two price labels."""
CELLS_A_LABEL = 9
"""Least number of cells between two time labels."""


def nice(step: Decimal, least: Decimal) -> Decimal:
    """Return the smallest of 1, 2 or 5 times a power of ten that is at least `step` and `least`."""
    wanted = max(step, least)
    power = Decimal(1).scaleb(wanted.adjusted())
    return next(power * times for times in (1, 2, 5, 10) if power * times >= wanted)


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices from `low` at the bottom to `high` at the top of `lines` lines, both multiples of half a `step`."""

    low: Decimal
    high: Decimal
    step: Decimal
    lines: int

    @classmethod
    def of(cls, prices: Iterable[Decimal], lines: int) -> PriceScale:
        known = sorted(prices)
        least, most = known[0], known[-1]
        step = nice((most - least) * LINES_A_LABEL / max(1, lines), STOCK_TICKS.at(most))
        half = step / 2
        low = (least / half).to_integral_value(ROUND_FLOOR) * half
        high = (most / half).to_integral_value(ROUND_CEILING) * half
        return cls(low, high if high > low else low + step, step, lines)

    def dot_of(self, price: Decimal) -> int:
        """Return the dot row from the top; a price beyond the scale is placed at its edge."""
        last = self.lines * DOTS_DOWN - 1
        return max(0, min(last, round((self.high - price) / (self.high - self.low) * last)))

    def half_of(self, price: Decimal) -> int:
        """Return the same in half lines."""
        return self.dot_of(price) // (DOTS_DOWN // 2)

    def spans(self, price: Decimal) -> bool:
        """Whether it lies between the edges."""
        return self.low <= price <= self.high

    def outermost_first(self, prices: Iterable[Price]) -> list[Price]:
        """Those that are farthest from the middle lead: at an edge the outer ones stand outside."""
        middle = (self.low + self.high) / 2
        return sorted(prices, key=lambda price: -abs(price - middle))

    def line_of(self, price: Decimal) -> int:
        return self.dot_of(price) // DOTS_DOWN

    def labels(self) -> list[Decimal]:
        """Return the multiples of the step between the edges."""
        first = (self.low / self.step).to_integral_value(ROUND_CEILING)
        count = int((self.high - first * self.step) / self.step)
        return [(first + number) * self.step for number in range(count + 1)]


@dataclass(frozen=True, slots=True)
class Window:
    """The range of visible bars: from `first` up to `end`, exclusive."""

    first: int
    end: int

    @classmethod
    def of(cls, count: int, room: int, under: int | None) -> Window:
        """Return the window of the newest bars, or one that contains the bar under the crosshair.

        It moves by a quarter of its width at a time, not with every bar.
        """
        step = max(1, room // 4)
        first = max(0, -(-(count - room) // step) * step)
        if under is not None and under < first:
            first = under // step * step
        return cls(first, min(count, first + room))
