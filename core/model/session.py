"""Venues with their hours and clocks, their sessions, and the session calendar (RK-20).

The properties of a market are a value here, so that a second venue is another value (`core.model.session`). Holidays
and early closes are in its calendar (`core.model.session.Calendar`), which names its venue; decisions by day or hour
use that one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from core.model.lazy_dataclass import dataclass
from core.model.values import Price, Symbol, VenueId


@dataclass(frozen=True, slots=True)
class Session:
    """One regular session. `open` and `close` are UTC; `close` is early on a half day."""

    day: date
    open: datetime
    close: datetime

    def holds(self, at: datetime) -> bool:
        return self.open <= at < self.close


@dataclass(frozen=True, slots=True)
class NoSession:
    """The market is closed; `reason` says why (weekend, holiday, night)."""

    reason: str


@dataclass(frozen=True, slots=True)
class AnnouncedDay:
    """What the broker announces of a day (MD-10): its session, or None if the market is closed."""

    day: date
    session: Session | None


class DayCloses:
    """The close of each symbol's days: the last price of the regular session (AN-01, RK-03).

    Every valuation at the end of a day uses it. Only prices of regular sessions are passed in.

    Parameters
    ----------
    kept
        Newest days kept per symbol; None keeps all.
    """

    def __init__(self, kept: int | None = None) -> None:
        self._kept = kept
        self._days: defaultdict[Symbol, list[date]] = defaultdict(list)
        self._prices: defaultdict[Symbol, list[Price]] = defaultdict(list)

    def take(self, symbol: Symbol, day: date, price: Price) -> None:
        """Take a price of a regular session, days in order; ignore one of an earlier day."""
        days, prices = self._days[symbol], self._prices[symbol]
        if days and days[-1] == day:
            prices[-1] = price
        elif not days or days[-1] < day:
            days.append(day)
            prices.append(price)
            if self._kept is not None and len(days) > self._kept:
                del days[0], prices[0]

    def until(self, symbol: Symbol, day: date) -> Price | None:
        """Return the close of its newest session up to `day`; None if unknown."""
        place = bisect_right(self._days.get(symbol, ()), day)
        return self._prices[symbol][place - 1] if place else None

    def on(self, symbol: Symbol, day: date) -> Price | None:
        """Return the close of this day; None without a price."""
        return self.until(symbol, day) if day in self._days.get(symbol, ()) else None

    def all_until(self, day: date) -> dict[Symbol, Price]:
        """Return each symbol's close as of `day`."""
        found = {symbol: self.until(symbol, day) for symbol in tuple(self._days)}
        return {symbol: price for symbol, price in found.items() if price is not None}


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


LONGEST_BEFORE_A_CLOSE = timedelta(minutes=30)
"""A window that ends longer before the usual close ends half an hour before an early one, unless it is over by then."""


def window_of(venue: Venue, session: Session, first: time, last: time) -> tuple[datetime, datetime]:
    """Return the first and the last instant of a session's window for entries, UTC (RK-07).

    On a day that closes early it ends as long before the close as on a usual day, half an hour at the most. A window to
    the usual close or beyond it ends with the session alone.
    """
    opens, shuts, usual = (venue.at(session.day, clock) for clock in (first, last, venue.closes))
    if session.close < usual and shuts < usual:
        shuts = min(shuts, session.close - min(usual - shuts, LONGEST_BEFORE_A_CLOSE))
    return opens, shuts


class Calendar(Protocol):
    """The sessions of one venue. Implemented by `core.market.calendar`."""

    @property
    def venue(self) -> Venue:
        """The venue; its clock decides when a day begins and ends."""
        ...

    def session_on(self, day: date) -> Session | NoSession: ...

    def session_at(self, at: datetime) -> Session | NoSession:
        """Return the session that is open at `at` (UTC)."""
        ...

    def next_session(self, at: datetime) -> Session:
        """Return the first session that opens after `at`."""
        ...

    def trading_day(self, at: datetime) -> date:
        """Return the venue's date at `at`."""
        ...

    def follow(self, days: Iterable[AnnouncedDay]) -> None:
        """Replace the sessions of these days."""
        ...


XNYS = Venue(
    id=VenueId("XNYS"),
    name="New York",
    short="NY",
    zone=ZoneInfo("America/New_York"),
    calendar="XNYS",
    opens=time(9, 30),
    closes=time(16),
    currency="USD",
    extended=ExtendedHours(begin=time(4), end=time(20), early=time(14), end_of_a_half_day=time(17)),
)
"""The New York Stock Exchange; its extended hours as US exchanges keep them, and Alpaca with them."""

KIN = ("XNAS", "XASE", "ARCX", "BATS", "IEXG")
"""Exchanges of the same hours and holidays: Nasdaq, NYSE American, NYSE Arca, Cboe BZX, IEX."""

VENUES: Mapping[VenueId, Venue] = {
    venue.id: venue for venue in (XNYS, *(replace(XNYS, id=VenueId(code)) for code in KIN))
}

HOME = XNYS
"""The venue of times on the screen, in the log and in the settings. Decisions use their calendar's venue."""
