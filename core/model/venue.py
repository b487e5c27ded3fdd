"""A venue: where one market trades, in which hours, and by which clock its people count (RK-20).

What is a market's own stands here as a value, so that a second venue is one more of them (`core.model.venues`). Its
holidays and early closes are its calendar's (`core.model.calendar.Calendar`), which names its venue; whoever decides by
a day or an hour asks that one.
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
        Whose clock it is, as it stands behind a time: "London", and where there is little room.
    calendar
        The name of its sessions in exchange-calendars.
    opens, closes
        Of a usual session, in its own time.
    currency
        ISO 4217.
    extended
        None where nothing trades outside of its sessions.
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
        """Its date at that instant."""
        return at.astimezone(self.zone).date()

    def at(self, day: date, clock: time) -> datetime:
        """A time of day there as UTC, daylight saving included."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def start_of(self, day: date) -> datetime:
        """The first instant of a day there, UTC."""
        return self.at(day, time())

    def end_of(self, day: date) -> datetime:
        """The first instant after a day there, UTC; days of 23 and 25 hours have theirs."""
        return self.at(day + ONE_DAY, time())

    def end_of_week(self, day: date) -> datetime:
        """The midnight before the Monday after, UTC."""
        return self.start_of(day + timedelta(days=7 - day.weekday()))

    def extended_span(self, session: Session) -> tuple[datetime, datetime]:
        """From when to when an order that is marked for extended hours acts on a session's day, UTC: in the session
        alone where there are none.
        """
        hours = self.extended
        if hours is None:
            return session.open, session.close
        is_half = self.local(session.close).time() < hours.early
        end = hours.end_of_a_half_day if is_half else hours.end
        return self.at(session.day, hours.begin), self.at(session.day, end)

    def extended_until(self, at: datetime, session: Session | NoSession) -> datetime | None:
        """When the extended hours that hold at `at` end, UTC; None in regular hours, at night, and on a day without
        any.
        """
        if isinstance(session, NoSession):
            return None
        first, last = self.extended_span(session)
        if first <= at < session.open:
            return session.open
        return last if session.close <= at < last else None

    # ── in words ─────────────────────────────────────────────────────────────────────────────────────────────────

    def told(self, at: datetime, form: str = "%H:%M") -> str:
        """`16:30 London`, or in another form of `strftime`: how an hour stands in the log and in every reason.

        A time at the calendar's edge, which only a broken source gives, has no local one and stays as it is.
        """
        try:
            return f"{self.local(at):{form}} {self.name}"
        except OverflowError:
            return f"{at:{form}} UTC"

    def clock(self, at: datetime) -> str:
        """`16:30:00 London`."""
        return self.told(at, "%H:%M:%S")

    def dated(self, at: datetime, seen_from: datetime) -> str:
        """`10:30 London`; `Mon 11 Mar 11:06 London` where that is another day."""
        is_that_day = self.day_of(at) == self.day_of(seen_from)
        return self.told(at) if is_that_day else self.told(at, "%a %d %b %H:%M")
