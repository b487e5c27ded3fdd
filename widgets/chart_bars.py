"""Bars of a timeframe, made of the session's minutes, and the lines over them.

A window that is not full has no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from core.model.bar import ONE_MINUTE
from core.model.values import Price, Quantity
from core.model.venues import HOME
from core.views import ChartBar, ChartView

HOUR, DAY = 60, 24 * 60
TIMEFRAMES = (1, 5, 15, HOUR, DAY)
"""Minutes of one bar; hours and days go back behind the session."""
OVERLAYS = ("VWAP", "averages", "Bollinger", "volume", "none")
SHORT, LONG, BANDS = 20, 50, 2
"""Bars of the two averages, and how many standard deviations the bands stand apart; the bands use the short window."""

Curve = tuple[Decimal | None, ...]
"""A value for each bar, or none."""
Overlay = tuple[str, Curve]
"""A line over the bars, with its word at the edge."""


@dataclass(frozen=True, slots=True)
class Candle:
    """What traded in one timeframe, as far as its minutes are known.

    Attributes
    ----------
    end
        Its last instant by the clock, exclusive.
    vwap
        The session's VWAP at its last minute.
    forms
        More minutes of it may come: it is the last one, and its last minute is not there.
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
    """Bars that begin at the multiples of the timeframe on the market's clock: the first hour of a session that opens
    at 09:30 has thirty minutes. Those `before` are of the timeframe already, and of earlier sessions."""
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
    """What a chart has of earlier sessions in that timeframe."""
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
    """The lines of an overlay, each with the word at the edge; volume has none, it stands at the foot."""
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
    """The simple moving average: the mean of the last `window` closes (Murphy, Technical Analysis of the Financial
    Markets, 1999, chapter 9)."""
    sums = [Decimal(0), *accumulate(closes)]
    return tuple(
        None if end < window else (sums[end] - sums[end - window]) / window for end in range(1, len(closes) + 1)
    )


def bollinger(closes: Sequence[Decimal], window: int, times: int) -> tuple[Curve, Curve]:
    """The average plus and minus so many standard deviations of the same closes, over `window` and not over one less
    (Bollinger on Bollinger Bands, 2001, chapter 7)."""
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
