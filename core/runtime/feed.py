"""The market data feed of a virtual runtime in order of time, from files or a seed, and the market regime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from core.files.csv_files import FIRST_ROW, read_daily_bars, read_daily_values
from core.market.calendar import CalendarRangeError, ExchangeCalendar
from core.market.csv_source import DayRow, daily_bars, read_bars, read_quotes, symbol_of
from core.market.packed_rows import BrokenRow
from core.market.vix import NewestVix
from core.messages import inputs
from core.messages.inputs import RegimeArrived
from core.model.bar import Bar, Quote
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS, Calendar, Session
from core.model.sizing import DailyBar, DailyValue, MarketMeasure, NoMarket, NoVix, Regime, VixReading
from core.model.values import Symbol
from core.risk.regime import (
    Look,
    MarketFold,
    RegimeChange,
    by_levels,
    entries_allowed,
    last_reading,
    levels_of,
    market_changes,
    market_of,
    readings,
    vix_changes,
)
from core.runtime.market_history import NOT_ASKED, SPY
from core.settings.settings import Settings


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
Row = TypeVar("Row", Bar, Quote)


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
    backwards = ((item[2] for item in reversed(feed)) for feed in feeds)
    last = (next((item for item in items if isinstance(item, inputs.BarArrived)), None) for items in backwards)
    return max(item.heard_at for item in last if item is not None)


def merged(feeds: Iterable[Iterable[Timed]]) -> Iterator[Timed]:
    """Merge several feeds; at equal times in the order of the feeds."""
    return merge(*feeds, key=itemgetter(0, 1))


class FileFeed(Sequence[Timed], Generic[Row]):
    """The rows of a file with their times, made anew each time they are read.

    A broken row comes with the time of the sound row after it, or with the last one.

    Parameters
    ----------
    placed
        Returns a sound row and its number from 0 with its time.
    """

    def __init__(self, rows: Sequence[Row | BrokenRow], placed: Callable[[Row, int], Timed]) -> None:
        self._rows: Sequence[Row | BrokenRow] = rows
        self._placed: Callable[[Row, int], Timed] = placed

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Timed]:
        waiting: list[BrokenRow] = []
        item: Timed | None = None
        for number, row in enumerate(self._rows):
            if isinstance(row, BrokenRow):
                waiting.append(row)
                continue
            item = self._placed(row, number)
            if waiting:
                yield from (_broken(item[0], row) for row in waiting)
                waiting.clear()
            yield item
        if item is not None:
            yield from (_broken(item[0], row) for row in waiting)

    def __getitem__(self, number: int) -> Timed:  # type: ignore[override]
        number = range(len(self))[number]
        row = self._rows[number]
        if not isinstance(row, BrokenRow):
            return self._placed(row, number)
        nearest = ((at, self._rows[at]) for at in chain(range(number, len(self)), range(number, -1, -1)))
        return _broken(next(self._placed(row, at)[0] for at, row in nearest if not isinstance(row, BrokenRow)), row)


def _broken(at: datetime, row: BrokenRow) -> Timed:
    return at, BROKEN, inputs.MarketDataBroken(row.place, row.reason)


def bars_of_file(path: Path, symbol: Symbol, zone: ZoneInfo | None = None) -> FileFeed[Bar]:
    """Read a file of bars to its end. Raises `TableError`."""
    name = path.name
    return FileFeed(
        read_bars(path, symbol, zone),
        lambda bar, number: (bar.start, BAR, inputs.BarArrived(bar, f"{name}:{number + FIRST_ROW}")),
    )


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


def quotes_of_file(path: Path, symbol: Symbol) -> FileFeed[Quote]:
    """Read a file of quotes, each at its minute's end. Raises `TableError`."""
    return FileFeed(read_quotes(path, symbol), lambda quote, _number: quote_item(inputs.QuoteArrived(quote)))


# ── the market regime ────────────────────────────────────────────────────────────────────────────────────────────────
# The regime from files of daily figures: as a feed for a played desk, and as a query from outside a desk (RK-19).
#
# A day's figures are known 15 minutes after its session's close, when the VIX is settled. Between an open and that
# moment the regime follows from the days before.

SETTLED = timedelta(minutes=15)
"""From the close of a session until its figures are known."""
NO_VIX = NoVix("no file of the VIX was named")
NO_MARKET = NoMarket("no file of the market was named")

Measured = VixReading | MarketMeasure


@dataclass(frozen=True, slots=True)
class RegimeFiles:
    """Files of daily figures for the regime of a played desk: the VIX, and the market's bars (RK-19).

    None leaves that part unknown.
    """

    vix: Path | None = None
    market: Path | None = None


def regime_of_files(files: RegimeFiles, calendar: Calendar, start: datetime, end: datetime) -> list[Timed]:
    """Return the regime known at `start`, then each day's measurement up to `end`; empty without files.

    Raises
    ------
    TableError
        A file cannot be trusted.
    """
    if files == RegimeFiles():
        return []
    found: list[tuple[datetime, Measured]] = []
    if files.vix is not None:
        found += _vix(read_daily_values(files.vix), calendar)
    if files.market is not None:
        found += _market(symbol_of(files.market) or SPY, read_daily_bars(files.market), calendar)
    known = Regime(
        NO_VIX if files.vix is None else NoVix(f"{files.vix.name} begins later"),
        NO_MARKET if files.market is None else NoMarket(f"{files.market.name} begins later"),
    )
    return list(_told(known, sorted(found, key=itemgetter(0)), start, end))


def _told(known: Regime, found: Iterable[tuple[datetime, Measured]], start: datetime, end: datetime) -> Iterator[Timed]:
    is_begun = False
    for at, together in groupby(found, key=itemgetter(0)):
        if at > start and not is_begun:
            yield _item(start, known)
            is_begun = True
        if at > end:
            return
        for _, measured in together:
            known = _after(known, measured)
        if is_begun:
            yield _item(at, known)
    if not is_begun:
        yield _item(start, known)


def _after(known: Regime, measured: Measured) -> Regime:
    return Regime(measured, known.market) if isinstance(measured, VixReading) else Regime(known.vix, measured)


def _item(at: datetime, regime: Regime) -> Timed:
    return (at, REGIME, RegimeArrived(regime))


def _vix(history: Iterable[DailyValue], calendar: Calendar) -> Iterator[tuple[datetime, Measured]]:
    return ((_known_at(reading.measured_on, calendar), reading) for reading in readings(history))


def _market(symbol: Symbol, bars: Iterable[DailyBar], calendar: Calendar) -> Iterator[tuple[datetime, Measured]]:
    fold = MarketFold(symbol)
    return ((_known_at(bar.day, calendar), fold.take(bar)) for bar in bars)


def _known_at(day: date, calendar: Calendar) -> datetime:
    """Return when the figures of a day are known.

    For a day without a session, or beyond the calendar, that is the end of the day.
    """
    try:
        session = calendar.session_on(day)
    except CalendarRangeError:
        session = None
    if isinstance(session, Session):
        return session.close + SETTLED
    return calendar.venue.end_of(day)


@dataclass(frozen=True, slots=True)
class RegimeQuery:
    """Files of daily figures instead of the source, and the range of the wanted changes.

    `vix` None uses the source or its cached values; `bars` None leaves the market unknown.
    """

    vix: Path | None = None
    bars: Path | None = None
    since: date | None = None
    until: date | None = None


def look(query: RegimeQuery, settings: Settings, vix: NewestVix | None, now: datetime) -> Look:
    """Return the regime at the end of the files, its changes, and the entries allowed on the next day (RK-19, RK-12).

    Raises
    ------
    TableError
        A file cannot be trusted.
    """
    changes: list[RegimeChange] = []
    failure = ""
    seen_at: datetime | None = None
    today = XNYS.day_of(now)
    levels = levels_of(settings.regime)
    reading: VixReading | NoVix = NOT_ASKED
    if query.vix is not None:
        history = [value for value in read_daily_values(query.vix) if _is_by(value.day, query.until)]
        changes += vix_changes(history, levels)
        reading = last_reading(history, levels) or NoVix("the file begins later")
    elif vix is not None:
        kept = vix.last()
        reading, failure = kept.reading, kept.failure
        if isinstance(reading, VixReading):
            reading = by_levels(reading, levels)
            seen_at = now
    market: MarketMeasure | NoMarket = NoMarket("name a file of daily bars with --bars")
    if query.bars is not None:
        symbol = symbol_of(query.bars) or SPY
        bars = [bar for bar in read_daily_bars(query.bars) if _is_by(bar.day, query.until)]
        changes += market_changes(symbol, bars)
        market = market_of(symbol, bars)
    regime = Regime(reading, market)
    day = market.bars_to + timedelta(days=1) if isinstance(market, MarketMeasure) else today
    allowance = entries_allowed(settings.risk.entries_a_day, market, day, settings.risk.frequency)
    wanted = (change for change in changes if query.since is None or change.day >= query.since)
    return Look(
        regime, tuple(sorted(wanted, key=lambda change: (change.day, change.what))), allowance, failure, seen_at
    )


def _is_by(day: date, until: date | None) -> bool:
    return until is None or day <= until
