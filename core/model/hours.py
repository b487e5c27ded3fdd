"""The extended hours of a session: before its open and after its close, New York time (RK-20)."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from core.model.session import NoSession, Session

NEW_YORK = ZoneInfo("America/New_York")
BEGIN, END, END_OF_A_HALF_DAY = time(4, 0), time(20, 0), time(17, 0)
"""As US exchanges keep them, and Alpaca with them; a half day's end earlier."""
NOON_CLOSE = time(14, 0)
"""A session that closes before it is a half day."""


def new_york_clock(at: datetime) -> str:
    """`16:30:00 New York`."""
    return f"{at.astimezone(NEW_YORK):%H:%M:%S} New York"


def in_new_york(at: datetime, form: str = "%H:%M") -> str:
    """`16:30 New York`, or in another form of `strftime`: how an hour stands in the log and in every reason.

    A time at the calendar's edge, which only a broken source gives, has no local one and stays as it is.
    """
    try:
        return f"{at.astimezone(NEW_YORK):{form}} New York"
    except OverflowError:
        return f"{at:{form}} UTC"


def extended_span(session: Session) -> tuple[datetime, datetime]:
    """From when to when an order that is marked for extended hours acts on a session's day, UTC."""
    closes = session.close.astimezone(NEW_YORK)
    end = END_OF_A_HALF_DAY if closes.time() < NOON_CLOSE else END
    first, last = (
        datetime.combine(session.day, clock, NEW_YORK).astimezone(session.open.tzinfo) for clock in (BEGIN, end)
    )
    return first, last


def extended_until(at: datetime, session: Session | NoSession) -> datetime | None:
    """When the extended hours that hold at `at` end, UTC; None in regular hours, at night, and on a day without any."""
    if isinstance(session, NoSession):
        return None
    first, last = extended_span(session)
    if first <= at < session.open:
        return session.open
    return last if session.close <= at < last else None
