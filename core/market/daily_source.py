"""Daily bars from a CSV file: a date means the whole session of that day (MD-05).

A file of daily bars has a column `date`, or a `timestamp` whose rows are a day apart. Its bars begin when their session
opens; a bar is unknown before its close, and the engine receives it when the next session opens.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from pathlib import Path

from core.files.csv_table import FIRST_ROW, Row, Table, TableError, shown, text_of
from core.files.regular_file import reading
from core.market.calendar import ExchangeCalendar
from core.market.csv_source import FIRST_YEAR, LAST_YEAR, BrokenRow, bar_of, place_of
from core.model.bar import Bar, WholeSession
from core.model.session import Session
from core.model.values import Symbol
from core.model.venue import Venue
from core.model.venues import HOME

FIGURES = ("open", "high", "low", "close", "volume")
A_DAY_APART = timedelta(hours=20)
"""Two daily bars are never nearer: not on the day on which the clocks change, not around a half day."""
LOOKED_AT = 6
"""Lines of a file that show the period of its bars."""


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
        with reading(path) as file:
            first_lines = "".join(islice(io.TextIOWrapper(file, encoding="utf-8-sig"), LOOKED_AT))
        table = Table(path, first_lines, "day", may_be_none=True)
    except (OSError, UnicodeDecodeError, TableError):
        return False
    if "timestamp" not in table.header:
        return "date" in table.header
    times = list(_times(table.rows, table.header.index("timestamp")))
    return len(times) > 1 and all(later - earlier >= A_DAY_APART for earlier, later in pairwise(times))


def _times(rows: list[Row], column: int) -> Iterator[datetime]:
    for row in rows:
        try:
            at = datetime.fromisoformat(row[column])
        except (IndexError, ValueError):
            continue
        yield at.replace(tzinfo=UTC) if at.tzinfo is None else at


def read_days(path: Path, venue: Venue = HOME) -> list[DayRow | BrokenRow]:
    """Return every row of a file of daily bars, in order, one item a row; an instant is converted to the venue's day.

    Raises
    ------
    TableError
        The file has another shape, or its days are not in order.
    """
    table = Table(path, text_of(path), "day")
    when, *figures = table.columns(("date" if "date" in table.header else "timestamp", *FIGURES))
    items: list[DayRow | BrokenRow] = []
    last: date | None = None
    for index, row in enumerate(table.rows):
        day = table.why_too_long(row) or _day(row, when, venue)
        if isinstance(day, str):
            items.append(BrokenRow(place_of(path, index), day))
            continue
        if last is not None and day <= last:
            raise TableError(
                f"{path}:{index + FIRST_ROW}: {day} is not after {last}; sort the file by date, one row a day"
            )
        last = day
        items.append(DayRow(place_of(path, index), day, row, (when, *figures)))
    if last is None:
        raise TableError(f"{path}: no row names its day, such as 2008-01-02; mend the file")
    return items


def _day(row: Row, column: int, venue: Venue) -> date | str:
    """Return the day of a row, or its fault. Midnight in any zone means the day as it is written."""
    if column >= len(row):
        return "the line ends before its date"
    text = row[column].strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return f"date {shown(text)} is no day such as 2008-01-02"
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
