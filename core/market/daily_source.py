"""Daily bars from a CSV file: a date means the whole session of that day (MD-05).

A file of daily bars has a column `date`, or a `timestamp` whose rows are a day apart. Its bars begin when their session
opens; a bar is unknown before its close, and the engine receives it when the next session opens.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from itertools import islice
from pathlib import Path

from core.files.csv_table import FileFault, Row, Table, TableError, shown, text_of
from core.files.regular_file import reading
from core.market.calendar import ExchangeCalendar
from core.market.csv_source import FIRST_YEAR, LAST_YEAR, BrokenRow, bar_of, place_of
from core.market.file_shape import (
    LOOKED_AT,
    instant_in,
    is_of_days,
    require_days,
    require_one_reading,
    require_order,
    require_symbol,
    shape_of,
    symbol_in_column,
    when_trouble,
)
from core.model.bar import Bar, WholeSession
from core.model.session import HOME, Session, Venue
from core.model.values import Symbol


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
