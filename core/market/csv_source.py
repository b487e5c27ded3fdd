"""Bars and quotes from the operator's CSV or Parquet files, by the minute or by the day (MD-05).

A file is read to its end before anything is handed out: one with a broken structure (no header, a missing column, times
out of order, a last line that was cut off) is refused with `TableError`, so that no replay stops half way. A single bad
row in a sound file is handed out as `BrokenRow`, in its place, to be quarantined and counted. Prices become Decimals
here, from text, once. Columns are found by name; others are ignored.

A file of daily bars has a column `date`, or a `timestamp` whose rows are a day apart. Its bars begin when their session
opens; a bar is unknown before its close, and the engine receives it when the next session opens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from core.files.csv_files import (
    FIRST_ROW,
    FileFault,
    FileRows,
    Row,
    Table,
    TableError,
    lines_of,
    no_row,
    shown,
)
from core.market.bar_labels import BarLabels
from core.market.calendar import ExchangeCalendar
from core.market.file_shape import (
    LOOKED_AT,
    RowTimes,
    instant_in,
    is_of_days,
    of_one_symbol,
    require_one_reading,
    require_volume,
    require_zone,
    shape_of,
    symbol_in_column,
    zoned,
)
from core.market.foreign_values import Trouble, number_trouble, when_trouble
from core.market.packed_rows import BrokenRow, Figure, PackedRows, figure_in
from core.model.bar import ONE_MINUTE, Bar, Feed, Quote, WholeSession
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME, Session, Venue
from core.model.values import ZERO, Price, Quantity, Symbol

BAR_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
QUOTE_COLUMNS = ("timestamp", "bid_close", "bid_size", "ask_close", "ask_size")
TOO_MUCH = Decimal(10_000_000_000_000)
"""Above every real price and volume; it excludes infinity."""
FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Range of valid market times; a calendar is loaded for those within."""

_SYMBOL_IN_NAME = re.compile(r"([A-Z]+(?:\.[A-Z]+)?)_")
_Item = TypeVar("_Item", Bar, Quote)
NUMBER: Callable[[Figure], Decimal] = itemgetter(0)


class _BadRowError(ValueError):
    """A row that cannot be read: why, in which column, and what to write there."""

    def __init__(self, trouble: Trouble | str, column: int | None = None) -> None:
        self.trouble = Trouble(trouble) if isinstance(trouble, str) else trouble
        self.column = column
        super().__init__(self.trouble.words)

    def of_file(self, table: Table, line: int, before: str) -> TableError:
        """Return the refusal of a file of which no row can be read; this is the first, on `line`."""
        found = self.trouble
        fault = FileFault.UNREADABLE if found.fault is FileFault.VALUE else found.fault
        column = "" if self.column is None else table.header[self.column]
        return TableError(f"{before}{found.words}", fault, line=line, column=column, write=found.write)


def read_bars(path: Path, symbol: Symbol, zone: ZoneInfo | None = None) -> PackedRows[Bar]:
    """Read every row of a file of one-minute bars, in order: the nth from 0 is at `place_of(path, n)`.

    `zone` is that of times that have none; without it they are refused.

    Raises
    ------
    TableError
        The file cannot be used; nothing is handed out.
    """
    table = _beginning(path, "minute, or a day")
    shape = shape_of(table)
    require_one_reading(table, shape)
    file = FileRows(path, table.header)
    rows = of_one_symbol(table, file, shape, symbol)
    if zone is None:
        require_zone(table, shape)
    else:
        rows = zoned(path, rows, shape, zone)
    name = table.header[shape.when]
    times, labels = RowTimes(path, name), BarLabels(path, name)
    found, faults = PackedRows(partial(Bar, symbol), len(BAR_COLUMNS) - 1), list[_BadRowError]()
    has_volume = False
    for index, row in enumerate(rows):
        try:
            _require_width(table, row)
            start = _time(row, shape.when)
            figures = _figures(row, shape.columns, BAR_COLUMNS)
            _require_bar(*map(NUMBER, figures))
            has_volume = has_volume or bool(NUMBER(figures[-1]))
        except _BadRowError as error:
            found.keep(BrokenRow(place_of(path, index), str(error)))
            faults = faults or [error]
            continue
        times.add(index, start, row[shape.when], has_seconds=start.second != 0)
        labels.add(index, start, NUMBER(figures[-1]))
        found.add(start, figures)
    times.require_order("minute")
    _require_readable(table, found, faults, "minute, or a day", is_whole=file.is_whole)
    times.require_minutes()
    labels.require_starts()
    if not has_volume:
        require_volume(table, shape, len(found))
    return found


def read_quotes(path: Path, symbol: Symbol) -> PackedRows[Quote]:
    """Read every row of a file of quotes, as `read_bars` does.

    A row has the start of a minute and its last quote; the quote's `at` is the minute's end, when it is known.

    Raises
    ------
    TableError
        The file cannot be used; nothing is handed out.
    """
    table = _beginning(path, "minute")
    columns = table.columns(QUOTE_COLUMNS)
    file = FileRows(path, table.header)
    times, faults = RowTimes(path, QUOTE_COLUMNS[0]), list[_BadRowError]()
    found = PackedRows(partial(Quote, symbol, feed=Feed.RECORDED), len(QUOTE_COLUMNS) - 1)
    for index, row in enumerate(file):
        try:
            _require_width(table, row)
            start = _time(row, columns[0])
            figures = _figures(row, columns, QUOTE_COLUMNS)
            _require_quote(*map(NUMBER, figures))
        except _BadRowError as error:
            found.keep(BrokenRow(place_of(path, index), str(error)))
            faults = faults or [error]
            continue
        times.add(index, start, row[columns[0]])
        found.add(start + ONE_MINUTE, figures)
    times.require_order("minute")
    _require_readable(table, found, faults, "minute", is_whole=file.is_whole)
    return found


def symbol_of(path: Path) -> Symbol | None:
    """Return the symbol at the start of a file's name: BRK.B for `BRK.B_daily.csv`; None if there is none."""
    match = _SYMBOL_IN_NAME.match(path.name)
    return Symbol(match.group(1)) if match else None


def place_of(path: Path, index: int) -> str:
    """Return file name and line of the item with this index, from 0.

    Without the folder, because places are recorded in the journal.
    """
    return f"{path.name}:{index + FIRST_ROW}"


def _require_readable(
    table: Table, found: PackedRows[_Item], faults: list[_BadRowError], unit: str, *, is_whole: bool
) -> None:
    """Refuse a file whose last line was cut off, and one without a readable row. Raises `TableError`.

    `faults` has the first broken row's.
    """
    path = table.path
    if not found:
        raise no_row(path, unit)
    last = found[-1]
    if isinstance(last, BrokenRow) and not is_whole:
        raise TableError(
            f"{path}:{len(found) + 1}: the last line was cut off ({last.reason}); "
            "fetch the file again, or remove the line",
            line=len(found) + 1,
        )
    if faults and all(isinstance(item, BrokenRow) for item in found):
        raise faults[0].of_file(table, FIRST_ROW, f"{path}: no row can be read; the first is on line {FIRST_ROW}: ")


def bar_of(row: Row, columns: Sequence[int], symbol: Symbol, start: datetime) -> Bar | str:
    """Return the bar of a row with a known time, or the fault in its figures; columns as `BAR_COLUMNS`."""
    try:
        numbers = _bar_figures(row, columns)
    except _BadRowError as error:
        return str(error)
    opened, high, low, close, volume = numbers
    return Bar(symbol, start, Price(opened), Price(high), Price(low), Price(close), Quantity(volume))


def _bar_figures(row: Row, columns: Sequence[int]) -> list[Decimal]:
    """Return the five numbers of a bar. Raises `_BadRowError`."""
    numbers = [*map(NUMBER, _figures(row, columns, BAR_COLUMNS))]
    _require_bar(*numbers)
    return numbers


def _time(row: Row, column: int) -> datetime:
    """Return the row's minute, UTC. A time without a zone is refused: guessing one would move every bar."""
    if not row:
        raise _BadRowError("the line is empty")
    if column >= len(row):
        raise _BadRowError("the line ends before its time", column)
    start = instant_in(row[column])
    if start is None:
        raise _BadRowError(when_trouble(row[column].strip(), "timestamp", "2013-10-08T14:50:00Z"), column)
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise _BadRowError(f"timestamp {shown(row[column])} is outside the years {FIRST_YEAR} to {LAST_YEAR}", column)
    if start.tzinfo is UTC:
        return start
    if start.tzinfo is None:
        raise _BadRowError(f"timestamp {shown(row[column])} has no zone; write UTC as 2013-10-08T14:50:00Z", column)
    return start.astimezone(UTC)


def _require_width(table: Table, row: Row) -> None:
    if too_long := table.why_too_long(row):
        raise _BadRowError(too_long)


def _figures(row: Row, columns: Sequence[int], names: Sequence[str]) -> list[Figure]:
    """Return the figures of a row, in the order of its columns but the first. Raises `_BadRowError`."""
    try:
        figures = [figure for column in columns[1:] if (figure := figure_in(row[column])) is not None]
    except IndexError:
        figures = []
    if len(figures) == len(columns) - 1:
        return figures
    for name, column in zip(names[1:], columns[1:], strict=True):
        if column >= len(row):
            raise _BadRowError(f"{name} is missing: the line has {len(row)} fields", column)
        if figure_in(row[column]) is None:
            raise _BadRowError(number_trouble(row[column], name, is_whole=name == "volume"), column)
    raise AssertionError("a row without a fault")


def _require_bar(opened: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: Decimal) -> None:
    if ZERO < low <= opened <= high < TOO_MUCH and low <= close <= high and ZERO <= volume < TOO_MUCH:
        return
    prices = (("open", opened), ("high", high), ("low", low), ("close", close))
    for name, price in prices:
        if not ZERO < price < TOO_MUCH:
            raise _BadRowError(f"{name} {price} is not a price above zero")
    if high < low:
        raise _BadRowError(f"high {high} is under low {low}")
    for name, price in prices:
        if not low <= price <= high:
            raise _BadRowError(f"{name} {price} is not within {low} to {high}")
    raise _BadRowError(f"volume {volume} is no number of shares")


def _require_quote(bid: Decimal, bid_size: Decimal, ask: Decimal, ask_size: Decimal) -> None:
    if ZERO < bid <= ask < TOO_MUCH and bid_size >= ZERO and ask_size >= ZERO:
        return
    for name, price in (("bid", bid), ("ask", ask)):
        if not ZERO < price < TOO_MUCH:
            raise _BadRowError(f"{name} {price} is not a price above zero")
    if bid > ask:
        raise _BadRowError(f"crossed: bid {bid} over ask {ask}")
    raise _BadRowError(f"sizes {bid_size} and {ask_size}: one is negative")


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
        return is_of_days(_beginning(path, "day"))
    except TableError:
        return False


def symbol_named_in(path: Path) -> Symbol | None:
    """Return the first value of the symbol column; None if there is no such column, or no such file."""
    try:
        return symbol_in_column(_beginning(path, "day"))
    except TableError:
        return None


def _beginning(path: Path, unit: str) -> Table:
    return Table(path, "".join(islice(lines_of(path), LOOKED_AT)), unit, may_be_none=True)


def read_days(path: Path, symbol: Symbol, venue: Venue = HOME) -> list[DayRow | BrokenRow]:
    """Return every row of a file of daily bars, in order, one item a row; an instant is converted to the venue's day.

    Raises
    ------
    TableError
        The file has another shape, or its days are not in order.
    """
    table = Table(path, "".join(lines_of(path)), "day")
    shape = shape_of(table)
    require_one_reading(table, shape)
    items: list[DayRow | BrokenRow] = []
    times, has_volume = RowTimes(path, table.header[shape.when]), False
    faults, is_readable = list[_BadRowError](), False
    for index, row in enumerate(of_one_symbol(table, table.rows, shape, symbol)):
        try:
            _require_width(table, row)
            day = _day(row, shape.when, venue)
        except _BadRowError as error:
            items.append(BrokenRow(place_of(path, index), str(error)))
            faults = faults or [error]
            continue
        times.add(index, day, row[shape.when])
        items.append(DayRow(place_of(path, index), day, row, shape.columns))
        last = shape.columns[-1]
        has_volume = has_volume or last >= len(row) or row[last].strip().strip("0.") != ""
        if not is_readable:
            try:
                is_readable = bool(_bar_figures(row, shape.columns))
            except _BadRowError as error:
                faults = faults or [error]
    times.require_order("day")
    if not is_readable:
        names_no_day = all(isinstance(item, BrokenRow) for item in items)
        what = "no row names its day" if names_no_day else "no row can be read; the first"
        raise faults[0].of_file(table, FIRST_ROW, f"{path}:{FIRST_ROW}: {what}: ")
    times.require_days()
    if not has_volume:
        require_volume(table, shape, len(items))
    return items


def _day(row: Row, column: int, venue: Venue) -> date:
    """Return the day of a row. Midnight in any zone means the day as it is written. Raises `_BadRowError`."""
    if column >= len(row):
        raise _BadRowError("the line ends before its date", column)
    text = row[column].strip()
    at = instant_in(text)
    if at is None:
        raise _BadRowError(when_trouble(text, "date", "2008-01-02"), column)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise _BadRowError(f"date {shown(text)} is outside the years {FIRST_YEAR} to {LAST_YEAR}", column)
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
