"""Bars and quotes from the operator's CSV files, by the minute or by the day (MD-05).

A file is read whole before anything is handed out: one with a broken structure (no header, a missing column, times out
of order, a last line that was cut off) is refused with `TableError`, so that no replay stops half way. A single bad row
in a sound file is handed out as `BrokenRow`, in its place, to be quarantined and counted. Prices become Decimals here,
from text, once. Columns are found by name; others are ignored.

A file of daily bars has a column `date`, or a `timestamp` whose rows are a day apart. Its bars begin when their session
opens; a bar is unknown before its close, and the engine receives it when the next session opens.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from core.files.csv_files import FIRST_ROW, FileFault, Row, Table, TableError, shown, text_of
from core.files.regular_file import reading
from core.market.calendar import ExchangeCalendar
from core.market.file_shape import (
    LOOKED_AT,
    instant_in,
    is_of_days,
    require_days,
    require_minutes,
    require_one_reading,
    require_order,
    require_symbol,
    require_zone,
    shape_of,
    symbol_in_column,
    when_trouble,
    zoned,
)
from core.model.bar import ONE_MINUTE, Bar, Feed, Quote, WholeSession
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME, Session, Venue
from core.model.values import ZERO, Price, Quantity, Symbol, number_in

BAR_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
QUOTE_COLUMNS = ("timestamp", "bid_close", "bid_size", "ask_close", "ask_size")
TOO_MUCH = Decimal(10_000_000_000_000)
"""Above every real price and volume; it excludes infinity."""
FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Range of valid market times; a calendar is loaded for those within."""

_SYMBOL_IN_NAME = re.compile(r"([A-Z]+(?:\.[A-Z]+)?)_")
_Item = TypeVar("_Item", Bar, Quote)


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that is neither a bar nor a quote: its place (file name and line), and why."""

    place: str
    reason: str


class _BadRowError(ValueError):
    """A row that cannot be read, as text."""


def read_bars(path: Path, symbol: Symbol, zone: ZoneInfo | None = None) -> Iterator[Bar | BrokenRow]:
    """Yield every row of a file of one-minute bars, in order, one item a row: the nth from 0 is at `place_of(path, n)`.

    `zone` is that of times that have none; without it they are refused.

    Raises
    ------
    TableError
        At the call, before anything is handed out.
    """
    table = Table(path, text_of(path), "minute, or a day")
    shape = shape_of(table)
    require_one_reading(table, shape)
    shape = shape if zone is None else zoned(table, shape, zone)
    require_zone(table, shape)
    require_symbol(table, shape, symbol)
    items = _read(table, shape.columns, lambda row, columns: _bar(row, columns, symbol), lambda bar: bar.start)
    require_minutes(path, [item.start for item in items if isinstance(item, Bar)])
    return iter(items)


def read_quotes(path: Path, symbol: Symbol) -> Iterator[Quote | BrokenRow]:
    """Yield every row of a file of quotes, as `read_bars` does.

    A row has the start of a minute and its last quote; the quote's `at` is the minute's end, when it is known.

    Raises
    ------
    TableError
        At the call, before anything is handed out.
    """
    table = Table(path, text_of(path), "minute")
    columns = table.columns(QUOTE_COLUMNS)
    return iter(_read(table, columns, lambda row, columns: _quote(row, columns, symbol), lambda quote: quote.at))


def symbol_of(path: Path) -> Symbol | None:
    """Return the symbol at the start of a file's name: BRK.B for `BRK.B_daily.csv`; None if there is none."""
    match = _SYMBOL_IN_NAME.match(path.name)
    return Symbol(match.group(1)) if match else None


def place_of(path: Path, index: int) -> str:
    """Return file name and line of the item with this index, from 0.

    Without the folder, because places are recorded in the journal.
    """
    return f"{path.name}:{index + FIRST_ROW}"


def _read(
    table: Table,
    columns: Sequence[int],
    parse: Callable[[Row, Sequence[int]], _Item],
    time_of: Callable[[_Item], datetime],
) -> list[_Item | BrokenRow]:
    path = table.path
    items: list[_Item | BrokenRow] = []
    times: list[tuple[int, datetime]] = []
    for index, row in enumerate(table.rows):
        try:
            if too_long := table.why_too_long(row):
                raise _BadRowError(too_long)
            item = parse(row, columns)
        except _BadRowError as error:
            items.append(BrokenRow(place_of(path, index), str(error)))
            continue
        times.append((index, time_of(item)))
        items.append(item)
    require_order(table, columns[0], times, "minute")
    if isinstance(items[-1], BrokenRow) and not table.is_whole:
        raise TableError(
            f"{path}:{len(items) + 1}: the last line was cut off ({items[-1].reason}); "
            "fetch the file again, or remove the line"
        )
    if not times:
        raise TableError(
            f"{path}: no row can be read; the first is on line {FIRST_ROW}: {_first_reason(items)}",
            FileFault.UNREADABLE,
        )
    return items


def _bar(row: Row, columns: Sequence[int], symbol: Symbol, start: datetime | None = None) -> Bar:
    if start is None:
        start = _time(row, columns[0])
    opened, high, low, close, volume = _numbers(row, columns, BAR_COLUMNS)
    bar = Bar(symbol, start, Price(opened), Price(high), Price(low), Price(close), Quantity(volume))
    if (
        ZERO < bar.low <= bar.open <= bar.high < TOO_MUCH
        and bar.low <= bar.close <= bar.high
        and ZERO <= bar.volume < TOO_MUCH
    ):
        return bar
    raise _BadRowError(_bad_bar(bar))


def bar_of(row: Row, columns: Sequence[int], symbol: Symbol, start: datetime) -> Bar | str:
    """Return the bar of a row with a known time, or the fault in its figures; columns as `BAR_COLUMNS`."""
    try:
        return _bar(row, columns, symbol, start)
    except _BadRowError as error:
        return str(error)


def _quote(row: Row, columns: Sequence[int], symbol: Symbol) -> Quote:
    start = _time(row, columns[0])
    bid, bid_size, ask, ask_size = _numbers(row, columns, QUOTE_COLUMNS)
    quote = Quote(
        symbol, start + ONE_MINUTE, Price(bid), Quantity(bid_size), Price(ask), Quantity(ask_size), Feed.RECORDED
    )
    if ZERO < quote.bid <= quote.ask < TOO_MUCH and quote.bid_size >= ZERO and quote.ask_size >= ZERO:
        return quote
    raise _BadRowError(_bad_quote(quote))


def _time(row: Row, column: int) -> datetime:
    """Return the row's minute, UTC. A time without a zone is refused: guessing one would move every bar."""
    if not row:
        raise _BadRowError("the line is empty")
    if column >= len(row):
        raise _BadRowError("the line ends before its time")
    start = instant_in(row[column])
    if start is None:
        raise _BadRowError(when_trouble(row[column], "timestamp", "2013-10-08T14:50:00Z"))
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise _BadRowError(f"timestamp {shown(row[column])} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    if start.tzinfo is UTC:
        return start
    if start.tzinfo is None:
        raise _BadRowError(f"timestamp {shown(row[column])} has no zone; write UTC as 2013-10-08T14:50:00Z")
    return start.astimezone(UTC)


def _numbers(row: Row, columns: Sequence[int], names: tuple[str, ...]) -> list[Decimal]:
    """Return the numbers of a row, in the order of its columns. Raises `_BadRowError`."""
    found = []
    for name, column in zip(names[1:], columns[1:], strict=True):
        if column >= len(row):
            raise _BadRowError(f"{name} is missing: the line has {len(row)} fields")
        number = number_in(row[column].strip())
        if number is None:
            raise _BadRowError(f"{name} {shown(row[column])} is not a number")
        found.append(number)
    return found


def _bad_bar(bar: Bar) -> str:
    prices = (("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close))
    for name, price in prices:
        if not ZERO < price < TOO_MUCH:
            return f"{name} {price} is not a price above zero"
    if bar.high < bar.low:
        return f"high {bar.high} is under low {bar.low}"
    for name, price in prices:
        if not bar.low <= price <= bar.high:
            return f"{name} {price} is not within {bar.low} to {bar.high}"
    return f"volume {bar.volume} is no number of shares"


def _bad_quote(quote: Quote) -> str:
    for name, price in (("bid", quote.bid), ("ask", quote.ask)):
        if not ZERO < price < TOO_MUCH:
            return f"{name} {price} is not a price above zero"
    if quote.bid > quote.ask:
        return f"crossed: bid {quote.bid} over ask {quote.ask}"
    return f"sizes {quote.bid_size} and {quote.ask_size}: one is negative"


def _first_reason(items: list[_Item | BrokenRow]) -> str:
    return next((item.reason for item in items if isinstance(item, BrokenRow)), "there is none")


@dataclass(frozen=True, slots=True)
class DayRow:
    """A row with its day and unparsed figures."""

    place: str
    day: date
    fields: Row
    columns: tuple[int, ...]


def is_daily(path: Path) -> bool:
    """Return whether the bars of a file are a day apart; False for an unreadable one, which is reported elsewhere."""
    try:
        return is_of_days(_beginning(path))
    except (OSError, UnicodeDecodeError, TableError):
        return False


def symbol_named_in(path: Path) -> Symbol | None:
    """Return the first value of the symbol column; None if there is no such column, or no such file."""
    try:
        return symbol_in_column(_beginning(path))
    except (OSError, UnicodeDecodeError, TableError):
        return None


def _beginning(path: Path) -> Table:
    with reading(path) as file:
        first_lines = "".join(islice(io.TextIOWrapper(file, encoding="utf-8-sig"), LOOKED_AT))
    return Table(path, first_lines, "day", may_be_none=True)


def read_days(path: Path, symbol: Symbol, venue: Venue = HOME) -> list[DayRow | BrokenRow]:
    """Return every row of a file of daily bars, in order, one item a row; an instant is converted to the venue's day.

    Raises
    ------
    TableError
        The file has another shape, or its days are not in order.
    """
    table = Table(path, text_of(path), "day")
    shape = shape_of(table)
    require_one_reading(table, shape)
    require_symbol(table, shape, symbol)
    items: list[DayRow | BrokenRow] = []
    days: list[tuple[int, date]] = []
    for index, row in enumerate(table.rows):
        day = table.why_too_long(row) or _day(row, shape.when, venue)
        if isinstance(day, str):
            items.append(BrokenRow(place_of(path, index), day))
            continue
        days.append((index, day))
        items.append(DayRow(place_of(path, index), day, row, shape.columns))
    require_order(table, shape.when, days, "day")
    if not days:
        raise TableError(f"{path}: no row names its day, such as 2008-01-02; fix the file", FileFault.UNREADABLE)
    require_days(path, [day for _, day in days])
    return items


def _day(row: Row, column: int, venue: Venue) -> date | str:
    """Return the day of a row, or its fault. Midnight in any zone means the day as it is written."""
    if column >= len(row):
        return "the line ends before its date"
    text = row[column].strip()
    at = instant_in(text)
    if at is None:
        return when_trouble(text, "date", "2008-01-02")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return f"date {shown(text)} is outside the years {FIRST_YEAR} to {LAST_YEAR}"
    return at.date() if at.time() == time() or at.tzinfo is None else venue.day_of(at)


def daily_bars(
    rows: list[DayRow | BrokenRow], symbol: Symbol, calendar: ExchangeCalendar
) -> Iterator[tuple[Bar, WholeSession, str] | BrokenRow]:
    """Yield the rows as bars of their sessions, each with its place.

    One without a session, or with bad figures, is broken.
    """
    for row in rows:
        if isinstance(row, BrokenRow):
            yield row
            continue
        session = calendar.session_on(row.day)
        if not isinstance(session, Session):
            yield BrokenRow(row.place, f"{row.day} has no session: {session.reason}")
            continue
        bar = bar_of(row.fields, row.columns, symbol, session.open)
        if isinstance(bar, Bar):
            heard_at = calendar.next_session(session.open).open
            yield bar, WholeSession(session.close - session.open, heard_at), row.place
        else:
            yield BrokenRow(row.place, bar)
