"""The minutes to request, by the exchange's sessions; a day unknown to the calendar counts as open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.market.calendar import CalendarRangeError
from core.model.bar import ONE_MINUTE
from core.model.session import Calendar, NoSession, Session

SETTLE = timedelta(seconds=3)
"""From a minute's end until its bar is requested: history has it a moment later than the stream."""
NO_TIME = datetime.min.replace(tzinfo=UTC)


def minute_of(at: datetime) -> datetime:
    """Return the start of the minute."""
    return at.replace(second=0, microsecond=0)


def settled(now: datetime) -> datetime:
    """Return the time by which ended minutes can be requested."""
    return minute_of(now - SETTLE)


class Timetable:
    """Calendar queries for polling."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def is_open(self, at: datetime) -> bool:
        return not isinstance(self._session_at(at), NoSession)

    def opened(self, at: datetime) -> datetime:
        """Return when the session open at `at` began; the beginning of time without one."""
        session = self._session_at(at)
        return session.open if isinstance(session, Session) else NO_TIME

    def first_minute(self, now: datetime) -> datetime:
        """Return the first minute that a desk needs if it starts now: the day's open once it has passed, or this
        minute.
        """
        session = self._day_of(now)
        return session.open if session is not None and session.open <= now else minute_of(now)

    def wanted(self, start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
        """Return the part of the span in the session of the day of `end`; None if there is none.

        Minutes of an earlier day are not requested any more, because no strategy trades on them.
        """
        session = self._day_of(end)
        if session is None:
            return None
        first, last = max(start, session.open), min(end, session.close)
        return (first, last) if first < last else None

    def next_minute(self, after: datetime) -> datetime:
        """Return the end of the first session minute that ends after `after`."""
        end = minute_of(after) + ONE_MINUTE
        if self.is_open(end - ONE_MINUTE):
            return end
        try:
            return self._calendar.next_session(end - ONE_MINUTE).open + ONE_MINUTE
        except CalendarRangeError:
            return end

    def _day_of(self, at: datetime) -> Session | None:
        day = self._calendar.trading_day(at)
        try:
            session = self._calendar.session_on(day)
        except CalendarRangeError:
            return Session(day, minute_of(at) - timedelta(hours=1), minute_of(at) + timedelta(hours=1))
        return session if isinstance(session, Session) else None

    def _session_at(self, at: datetime) -> Session | NoSession:
        try:
            return self._calendar.session_at(at)
        except CalendarRangeError:
            return Session(self._calendar.trading_day(at), NO_TIME, at + ONE_MINUTE)
