"""When the loopback's market is open: every weekday, in New York's hours or in hours moved so that it is open now.

Moved hours leave time itself alone: every stamp is real, and the calendar that the exchange serves says the moved
hours. They hold on each day of the week, so that the market is open on a Saturday too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.model.session import XNYS, AnnouncedDay, NoSession, Session

NEW_YORK = ZoneInfo("America/New_York")
OPEN, CLOSE = time(9, 30), time(16)
LAST_MINUTE = time(23, 59)
SATURDAY = 5


class Hours:
    """A session a day, from `opens` to `closes`, New York (`core.model.session.Calendar`). It knows no holidays."""

    venue = XNYS

    def __init__(self, opens: time = OPEN, closes: time = CLOSE, *, on_weekends: bool = False) -> None:
        self.opens, self.closes, self.on_weekends = opens, closes, on_weekends
        self.announced: dict[date, AnnouncedDay] = {}

    def follow(self, days: Iterable[AnnouncedDay]) -> None:
        self.announced |= {each.day: each for each in days}

    def session_on(self, day: date) -> Session | NoSession:
        if (told := self.announced.get(day)) is not None:
            return told.session or NoSession("closed")
        if day.weekday() >= SATURDAY and not self.on_weekends:
            return NoSession("weekend")
        return Session(day, new_york(day, self.opens), new_york(day, self.closes))

    def session_at(self, at: datetime) -> Session | NoSession:
        session = self.session_on(self.trading_day(at))
        return session if isinstance(session, Session) and session.holds(at) else NoSession("closed")

    def next_session(self, at: datetime) -> Session:
        day = self.trading_day(at)
        while True:
            session = self.session_on(day)
            if isinstance(session, Session) and session.open > at:
                return session
            day += timedelta(days=1)

    def trading_day(self, at: datetime) -> date:
        return at.astimezone(NEW_YORK).date()


def moved_hours(now: datetime, market_time: time) -> Hours:
    """Hours in which it is `market_time` on the exchange now: 09:45 is a quarter of an hour after the open.

    A session that would leave its New York day is cut at midnight, at either end.
    """
    here = now.astimezone(NEW_YORK).replace(second=0, microsecond=0, tzinfo=None)
    midnight, last = datetime.combine(here.date(), time()), datetime.combine(here.date(), LAST_MINUTE)
    opens = max(here - (_minutes(market_time) - _minutes(OPEN)), midnight)
    closes = min(here + (_minutes(CLOSE) - _minutes(market_time)), last)
    return Hours(opens.time(), closes.time(), on_weekends=True)


def new_york(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def _minutes(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)
