"""Sessions of XNYS as a table beside this module, so that no process loads pandas for them.

The table lists the weekdays that differ from a usual session. It is generated from exchange-calendars:
`python -m core.market.calendar` writes it anew, and a test compares it with the library.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import lru_cache
from pathlib import Path

from core.model.session import XNYS, Session, Venue

TABLE = Path(__file__).with_name("XNYS.csv")
FIRST_YEAR, LAST_YEAR = 1990, 2040
"""The years of the table. Other years are loaded from the library."""
COLUMNS = ("day", "open", "close", "reason")
A_DAY = timedelta(days=1)
WEEKDAYS = 5

Sessions = tuple[tuple[Session, ...], Mapping[date, str]]
"""Sessions in order, and the reason of each weekday without one."""


def has_years(venue: Venue, first_year: int, last_year: int) -> bool:
    """Return whether the table has all of these years of that venue."""
    return venue.calendar == XNYS.calendar and first_year >= FIRST_YEAR and last_year <= LAST_YEAR


def sessions_of(venue: Venue, first_year: int, last_year: int) -> Sessions:
    """Return the sessions and holidays of whole years; only for years that the table has."""
    special, sessions, holidays = _rows(), [], {}
    day, last = date(first_year, 1, 1), date(last_year, 12, 31)
    while day <= last:
        if day.weekday() < WEEKDAYS:
            hours, reason = special.get(day, ((venue.opens, venue.closes), ""))
            if hours is None:
                holidays[day] = f"holiday, {reason}" if reason else "holiday"
            else:
                sessions.append(Session(day=day, open=venue.at(day, hours[0]), close=venue.at(day, hours[1])))
        day += A_DAY
    return tuple(sessions), holidays


def as_table(sessions: Sessions, venue: Venue, first_year: int, last_year: int) -> str:
    """Return the text of the table for sessions that the library gave."""
    by_day, text = {session.day: session for session in sessions[0]}, io.StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write(COLUMNS)
    day, last = date(first_year, 1, 1), date(last_year, 12, 31)
    while day <= last:
        session = by_day.get(day)
        if session is not None:
            opens, closes = (venue.local(at).time() for at in (session.open, session.close))
            if (opens, closes) != (venue.opens, venue.closes):
                write((day, f"{opens:%H:%M}", f"{closes:%H:%M}", ""))
        elif day.weekday() < WEEKDAYS:
            write((day, "", "", sessions[1].get(day, "").removeprefix("holiday").removeprefix(", ")))
        day += A_DAY
    return text.getvalue()


@lru_cache(maxsize=1)
def _rows() -> Mapping[date, tuple[tuple[time, time] | None, str]]:
    """Return the hours of each special weekday, None for a holiday, with its reason."""
    rows = csv.DictReader(io.StringIO(TABLE.read_text(encoding="utf-8")))
    return {date.fromisoformat(row["day"]): (_hours(row), row["reason"]) for row in rows}


def _hours(row: Mapping[str, str]) -> tuple[time, time] | None:
    return (time.fromisoformat(row["open"]), time.fromisoformat(row["close"])) if row["open"] else None
