"""The trading calendar of a venue: its sessions, early closes and holidays.

The home venue's sessions come from a table beside this module, so that no process loads pandas for them. It lists the
weekdays that differ from a usual session: `python -m core.market.calendar` writes it again, and a test compares it with
exchange-calendars. Other ranges come from that library, read once a range. A day outside of the loaded range is an
error and never a guess; the calendar of a running desk loads what follows. What the broker announces overrides both.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

from core.model.session import HOME, XNYS, AnnouncedDay, NoSession, Session, Venue
from core.ports import OperatorError

# ── the table of sessions ────────────────────────────────────────────────────────────────────────────────────────────

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


# ── calendars ────────────────────────────────────────────────────────────────────────────────────────────────────────

DAYS_AFTER = timedelta(days=14)
"""Loaded beyond the last requested day, so that the following session is known."""
YEARS_AT_ONCE = 5
"""2020 to 2024, 2025 to 2029: requests from different years share one load."""
_SATURDAY = 5
_NEVER = datetime.min.replace(tzinfo=UTC)


class CalendarRangeError(OperatorError, LookupError):
    """The loaded calendar does not cover the requested day."""


class _Table:
    """The sessions of a calendar and its copies; `changes` counts what was announced."""

    def __init__(self, last: date, sessions: Iterable[Session], holidays: Mapping[date, str]) -> None:
        self.last = last
        self.holidays = dict(holidays)
        self.changes = 0
        self._hold(sessions)

    def _hold(self, sessions: Iterable[Session]) -> None:
        self.sessions = sorted(sessions, key=lambda session: session.open)
        self.opens = [session.open for session in self.sessions]
        self.by_day = {session.day: session for session in self.sessions}

    def follow(self, days: Iterable[AnnouncedDay]) -> None:
        told = {each.day: each for each in days}
        opened = [each.session for each in told.values() if each.session is not None]
        self._hold([*(session for session in self.sessions if session.day not in told), *opened])
        for day, each in told.items():
            if each.session is None:
                self.holidays[day] = "closed, says the broker"
        self.changes += 1

    def go_on(self, until: date, venue: Venue) -> None:
        """Load what follows, to the end of the year after `until`. Raises `CalendarRangeError`."""
        end = date(until.year + 1, 12, 31)
        sessions, holidays = _known(self.last.year, end.year, venue)
        known = self.by_day
        self._hold([*self.sessions, *(s for s in sessions if s.day > self.last and s.day not in known)])
        self.holidays = {**holidays, **self.holidays}
        self.last = end


class ExchangeCalendar:
    """A venue's sessions from `first` to `last`, both included (`core.model.session.Calendar`).

    `session_at` is called for every bar, mostly within one session: the last answer is cached with its interval. A copy
    has a cache of its own and the same sessions, for another thread; a deep copy has its own sessions.

    Parameters
    ----------
    has_end
        A day beyond `last` raises; otherwise what follows is loaded.
    """

    def __init__(
        self,
        first: date,
        last: date,
        sessions: Iterable[Session],
        holidays: Mapping[date, str],
        venue: Venue = HOME,
        *,
        has_end: bool = True,
    ) -> None:
        self.first = first
        self.venue = venue
        self.has_end = has_end
        self._table = _Table(last, sessions, holidays)
        self._changes = 0
        self._from = self._until = _NEVER
        self._answer: Session | NoSession = NoSession("not asked yet")
        self._midnight = self._next_midnight = _NEVER
        self._day = date.min

    def __deepcopy__(self, _memo: object) -> ExchangeCalendar:
        table = self._table
        return ExchangeCalendar(
            self.first, table.last, table.sessions, table.holidays, self.venue, has_end=self.has_end
        )

    @property
    def last(self) -> date:
        """The last loaded day."""
        return self._table.last

    def session_on(self, day: date) -> Session | NoSession:
        """Return the session of a day, or why there is none. Raises `CalendarRangeError`."""
        session = self._table.by_day.get(day)
        if session is not None:
            return session
        if self._check(day):
            return self.session_on(day)
        if day.weekday() >= _SATURDAY:
            return NoSession("weekend")
        return NoSession(self._table.holidays.get(day, "holiday"))

    def session_at(self, at: datetime) -> Session | NoSession:
        """Return the session that is open at `at` (UTC), or why there is none. Raises `CalendarRangeError`."""
        if self._from <= at < self._until and self._changes == self._table.changes:
            return self._answer
        return self._find(at)

    def next_session(self, at: datetime) -> Session:
        """Return the first session that opens after `at`. Raises `CalendarRangeError`."""
        self._check(self.trading_day(at))
        index = bisect_right(self._table.opens, at)
        if index == len(self._table.sessions) and not self.has_end:
            self._table.go_on(self.last, self.venue)
        if index == len(self._table.sessions):
            raise CalendarRangeError(f"the calendar ends on {self.last}, before the session that follows {at:%Y-%m-%d}")
        return self._table.sessions[index]

    def trading_day(self, at: datetime) -> date:
        """Return the venue's date at `at`; that needs no calendar, so it has no range."""
        if not self._midnight <= at < self._next_midnight:
            self._day = self.venue.day_of(at)
            self._midnight, self._next_midnight = self.venue.start_of(self._day), self.venue.end_of(self._day)
        return self._day

    def sessions(self) -> tuple[Session, ...]:
        """Return every loaded session, in order."""
        return tuple(self._table.sessions)

    def follow(self, days: Iterable[AnnouncedDay]) -> None:
        """Replace the sessions of these days, for every copy of this calendar (MD-10)."""
        self._table.follow(days)

    def _find(self, at: datetime) -> Session | NoSession:
        self._changes = self._table.changes
        day = self.trading_day(at)
        session = self.session_on(day)
        if isinstance(session, NoSession):
            return self._keep(self._midnight, self._next_midnight, session)
        if at < session.open:
            return self._keep(self._midnight, session.open, NoSession("before the open"))
        if at < session.close:
            return self._keep(session.open, session.close, session)
        return self._keep(session.close, self._next_midnight, NoSession("after the close"))

    def _keep(self, start: datetime, until: datetime, answer: Session | NoSession) -> Session | NoSession:
        self._from, self._until, self._answer = start, until, answer
        return answer

    def _check(self, day: date) -> bool:
        """Return whether more was loaded for this day. Raises `CalendarRangeError`: it has an end, or no source knows
        the day.
        """
        if self.first <= day <= self.last:
            return False
        if self.has_end or day < self.first:
            raise CalendarRangeError(f"{day} is outside of the loaded calendar, {self.first} to {self.last}")
        self._table.go_on(day, self.venue)
        return True


def load_calendar(first: date, last: date, venue: Venue = HOME, *, has_end: bool = True) -> ExchangeCalendar:
    """Load a venue's sessions from `first` to two weeks after `last`.

    Without an end later ones are loaded when they are needed.

    Beyond the years of the shipped table the library is loaded, which imports pandas (0.4 s).

    Raises
    ------
    CalendarRangeError
        `last` is before `first`, or the library does not know the range.
    """
    if last < first:
        raise CalendarRangeError(f"the calendar cannot run backwards, from {first} to {last}")
    until = last + DAYS_AFTER
    sessions, holidays = _known(first.year, until.year, venue)
    of_range = [session for session in sessions if first <= session.day <= until]
    return ExchangeCalendar(first, until, of_range, holidays, venue, has_end=has_end)


def _known(first_year: int, last_year: int, venue: Venue) -> Sessions:
    """Load the five years that include these.

    Only these years are loaded if no such period includes them or the library has less.
    """
    begins = first_year - first_year % YEARS_AT_ONCE
    ends = begins + YEARS_AT_ONCE - 1
    if last_year <= ends:
        with suppress(CalendarRangeError):
            return _listed(begins, ends, venue)
    return _listed(first_year, last_year, venue)


@lru_cache(maxsize=32)
def _listed(first_year: int, last_year: int, venue: Venue) -> Sessions:
    """Return sessions and holidays of whole years; cached in the process."""
    if has_years(venue, first_year, last_year):
        return sessions_of(venue, first_year, last_year)
    return from_library(first_year, last_year, venue)


def from_library(first_year: int, last_year: int, venue: Venue) -> Sessions:
    """Load sessions and holidays of whole years from exchange-calendars.

    Raises `CalendarRangeError` for a range that it does not know.
    """
    import exchange_calendars

    first, until = date(first_year, 1, 1), date(last_year, 12, 31)
    try:
        library = exchange_calendars.get_calendar(venue.calendar, start=first, end=until)
    except (ValueError, exchange_calendars.errors.CalendarError) as error:
        raise CalendarRangeError(f"no {venue.calendar} calendar from {first} to {until}: {error}") from error
    schedule = library.schedule
    sessions = tuple(
        Session(day=label.date(), open=_utc(opened), close=_utc(closed))
        for label, opened, closed in zip(schedule.index, schedule["open"], schedule["close"], strict=True)
    )
    named = library.regular_holidays.holidays(start=first, end=until, return_name=True)
    return sessions, {label.date(): f"holiday, {name}" for label, name in named.items()}


def _utc(stamp: datetime) -> datetime:
    """Convert a pandas timestamp to a plain datetime."""
    return datetime(stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute, tzinfo=UTC)


if __name__ == "__main__":
    TABLE.write_text(as_table(from_library(FIRST_YEAR, LAST_YEAR, HOME), HOME, FIRST_YEAR, LAST_YEAR), encoding="utf-8")
