"""The market data feed of a virtual runtime in order of time, from files or a seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from core.market.calendar import ExchangeCalendar
from core.market.csv_source import BrokenRow, DayRow, daily_bars, place_of, read_bars, read_quotes
from core.messages import inputs
from core.model.bar import Bar, Quote
from core.model.values import Symbol


@dataclass(frozen=True, slots=True)
class SliceTraded:
    """A part of a minute by which the exchange trades; the engine receives the whole minute."""

    bar: Bar
    lasts: timedelta


Beforehand = inputs.PastArrived | inputs.CorporateActionsArrived
"""Inputs that precede a session."""
Item = (
    inputs.BarArrived | inputs.QuoteArrived | inputs.MarketDataBroken | inputs.RegimeArrived | Beforehand | SliceTraded
)
Timed = tuple[datetime, int, Item]
"""The time at which the exchange receives an item, its rank among equal times, and the item.

The ranks are in the order past, slice, bar, quote, broken, regime.
"""

PAST, SLICE, BAR, QUOTE, BROKEN, REGIME = -2, -1, 0, 1, 2, 3


def bar_item(message: inputs.BarArrived) -> Timed:
    """Place a bar at its start; the engine receives it at its end."""
    return (message.bar.start, BAR, message)


def past_item(message: Beforehand, at: datetime) -> Timed:
    """Place an item before everything of the session itself."""
    return (at, PAST, message)


def slice_item(slice_traded: SliceTraded) -> Timed:
    """Place a slice before the minute that begins with it, so that the exchange trades by the slice."""
    return (slice_traded.bar.start, SLICE, slice_traded)


def quote_item(message: inputs.QuoteArrived) -> Timed:
    return (message.quote.at, QUOTE, message)


def last_heard(feeds: Iterable[Sequence[Timed]]) -> datetime:
    """Return the time at which the engine receives the last bar of all feeds."""
    return max(item[2].heard_at for feed in feeds for item in feed if isinstance(item[2], inputs.BarArrived))


def merged(feeds: Iterable[Iterable[Timed]]) -> Iterator[Timed]:
    """Merge several feeds; at equal times in the order of the feeds."""
    return merge(*feeds, key=itemgetter(0, 1))


def bars_of_file(path: Path, symbol: Symbol, zone: ZoneInfo | None = None) -> list[Timed]:
    """Read a file of bars to its end. Raises `TableError`."""
    return list(_placed(path, read_bars(path, symbol, zone)))


def days_of_rows(rows: list[DayRow | BrokenRow], symbol: Symbol, calendar: ExchangeCalendar) -> list[Timed]:
    """Return daily bars from the open of their session; a broken row comes with the sound row before or after it."""
    feed: list[Timed] = []
    waiting: list[BrokenRow] = []
    for item in daily_bars(rows, symbol, calendar):
        if isinstance(item, BrokenRow):
            waiting.append(item)
            continue
        bar, whole, place = item
        at = feed[-1][0] if feed else bar.start
        feed.extend((at, BROKEN, inputs.MarketDataBroken(b.place, b.reason)) for b in waiting)
        waiting.clear()
        feed.append(bar_item(inputs.BarArrived(bar, place, whole)))
    if feed:
        feed.extend((feed[-1][0], BROKEN, inputs.MarketDataBroken(b.place, b.reason)) for b in waiting)
    return feed


def quotes_of_file(path: Path, symbol: Symbol) -> list[Timed]:
    """Read a file of quotes, each at its minute's end. Raises `TableError`."""
    return list(_placed(path, read_quotes(path, symbol)))


def _placed(path: Path, items: Iterator[Bar | BrokenRow] | Iterator[Quote | BrokenRow]) -> Iterator[Timed]:
    """Yield the rows with their times.

    A broken row comes with the start of the row before it, or with the first sound one.
    """
    waiting: list[BrokenRow] = []
    last: Timed | None = None
    for number, item in enumerate(items):
        if isinstance(item, BrokenRow):
            waiting.append(item)
            continue
        last = (
            bar_item(inputs.BarArrived(item, place_of(path, number)))
            if isinstance(item, Bar)
            else quote_item(inputs.QuoteArrived(item))
        )
        yield from ((last[0], BROKEN, inputs.MarketDataBroken(b.place, b.reason)) for b in waiting)
        waiting.clear()
        yield last
    if last is not None:
        yield from ((last[0], BROKEN, inputs.MarketDataBroken(b.place, b.reason)) for b in waiting)
