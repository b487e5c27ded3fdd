"""Files and seeds as feeds for a virtual runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from core.market.calendar import ExchangeCalendar
from core.market.csv_source import BrokenRow, place_of, read_bars, read_quotes
from core.market.daily_source import DayRow, daily_bars
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.bar import Bar
from core.model.quote import Quote
from core.model.values import Symbol
from core.runtime.feed import BROKEN, Timed, bar_item, quote_item


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
        feed.extend((at, BROKEN, MarketDataBroken(b.place, b.reason)) for b in waiting)
        waiting.clear()
        feed.append(bar_item(BarArrived(bar, place, whole)))
    if feed:
        feed.extend((feed[-1][0], BROKEN, MarketDataBroken(b.place, b.reason)) for b in waiting)
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
            bar_item(BarArrived(item, place_of(path, number)))
            if isinstance(item, Bar)
            else quote_item(QuoteArrived(item))
        )
        yield from ((last[0], BROKEN, MarketDataBroken(b.place, b.reason)) for b in waiting)
        waiting.clear()
        yield last
    if last is not None:
        yield from ((last[0], BROKEN, MarketDataBroken(b.place, b.reason)) for b in waiting)
