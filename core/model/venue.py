"""A venue: a market with its hours and its clock (RK-20).

The properties of a market are a value here, so that a second venue is another value (`core.model.venues`). Holidays and
early closes are in its calendar (`core.model.calendar.Calendar`), which names its venue; decisions by day or hour use
that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.model.session import NoSession, Session
from core.model.values import VenueId

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExtendedHours:
    """From `begin` to a session's open, and from its close to `end`, in the venue's time.

    A session that closes before `early` is a half day, and its hours end at `end_of_a_half_day`.
    """

    begin: time
    end: time
    early: time
    end_of_a_half_day: time


@dataclass(frozen=True, slots=True)
class Venue:
    """One market. Its days begin and end at midnight by its own clock.

    Attributes
    ----------
    name, short
        Name of its clock as shown after a time: "London", and the short form.
    calendar
        The name of its sessions in exchange-calendars.
    opens, closes
        Of a usual session, in its own time.
    currency
        ISO 4217.
    extended
        None if nothing trades outside of its sessions.
    """

    id: VenueId
    name: str
    short: str
    zone: ZoneInfo
    calendar: str
    opens: time
    closes: time
    currency: str
    extended: ExtendedHours | None = None

    # ── days and hours ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def session_minutes(self) -> int:
        """Minutes of a usual session."""
        return (self.closes.hour - self.opens.hour) * 60 + self.closes.minute - self.opens.minute

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def day_of(self, at: datetime) -> date:
        """Return its date at an instant."""
        return at.astimezone(self.zone).date()

    def at(self, day: date, clock: time) -> datetime:
        """Convert a local time of day to UTC, daylight saving included."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def start_of(self, day: date) -> datetime:
        """Return the first instant of a local day, UTC."""
        return self.at(day, time())

    def end_of(self, day: date) -> datetime:
        """Return the first instant after a local day, UTC; also for days of 23 and 25 hours."""
        return self.at(day + ONE_DAY, time())

    def end_of_week(self, day: date) -> datetime:
        """Return the midnight before the next Monday, UTC."""
        return self.start_of(day + timedelta(days=7 - day.weekday()))

    def extended_span(self, session: Session) -> tuple[datetime, datetime]:
        """Return the interval in which an extended-hours order acts on a session's day, UTC: the session alone if there
        are no extended hours.
        """
        hours = self.extended
        if hours is None:
            return session.open, session.close
        is_half = self.local(session.close).time() < hours.early
        end = hours.end_of_a_half_day if is_half else hours.end
        return self.at(session.day, hours.begin), self.at(session.day, end)

    def extended_until(self, at: datetime, session: Session | NoSession) -> datetime | None:
        """Return when the extended hours at `at` end, UTC.

        None in regular hours, at night, and on a day without any.
        """
        if isinstance(session, NoSession):
            return None
        first, last = self.extended_span(session)
        if first <= at < session.open:
            return session.open
        return last if session.close <= at < last else None

    # ── as text ──────────────────────────────────────────────────────────────────────────────────────────────────

    def told(self, at: datetime, form: str = "%H:%M") -> str:
        """As in `16:30 London`, or in another form of `strftime`: the format of times in the log and in reasons.

        A time at the calendar's edge, which only a broken source gives, has no local one and stays as it is.
        """
        try:
            return f"{self.local(at):{form}} {self.name}"
        except OverflowError:
            return f"{at:{form}} UTC"

    def clock(self, at: datetime) -> str:
        """As in `16:30:00 London`."""
        return self.told(at, "%H:%M:%S")

    def dated(self, at: datetime, seen_from: datetime) -> str:
        """As in `10:30 London`; `Mon 11 Mar 11:06 London` if that is another day."""
        is_that_day = self.day_of(at) == self.day_of(seen_from)
        return self.told(at) if is_that_day else self.told(at, "%a %d %b %H:%M")
