"""Bars of a timeframe, built from the minutes of the session, and the curves over them.

A curve has no value until its window is full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from core.model.bar import ONE_MINUTE
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
