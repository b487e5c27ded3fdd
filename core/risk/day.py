"""What the account was worth at the last close, and at last week's: what losses are measured against (RK-03).

The broker tells the last close; where it does not, the day's first figure stands in. Until the session opens its later
word counts: after midnight it may tell the close before for a while yet. Last week's is known where the
week's first session was begun with it; else the earliest of the week that is known counts, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from core.facts import DayCorrected, DayStarted
from core.model.account import Account
from core.model.calendar import Calendar
from core.model.session import Session
from core.model.values import Money

LONGEST_PAUSE = 12
"""Days, in which every exchange has had a session: the longest pause of our time was a week, in 2001."""


@dataclass(slots=True)
class DayState:
    """`week` is its Monday; its equity is that of the first day of it on which the account was seen, `week_day`.

    `close_of` and `week_close_of` are the days at whose close it was worth that; None where it is a first figure.
    """

    day: date | None = None
    equity: Money | None = None
    week: date | None = None
    week_equity: Money | None = None
    close_of: date | None = None
    week_close_of: date | None = None
    week_day: date | None = None


class Day:
    """The slice of the opening equities."""

    name = "day"

    def __init__(self) -> None:
        self.state = DayState()
        self.folds = {DayStarted: self._started, DayCorrected: self._corrected}

    def restore(self, state: DayState) -> None:
        self.state = state

    def opening_equity(self, day: date) -> Money | None:
        """Equity at the day's start, USD; None before its first account figure."""
        return self.state.equity if self.state.day == day else None

    def opening_equity_of_week(self, day: date) -> Money | None:
        """Equity at the start of the day's week, USD; None before its first account figure."""
        return self.state.week_equity if self.state.week == monday_of(day) else None

    def since(self, day: date) -> str:
        """From when a loss of the day counts, in words."""
        return _since(self.state.close_of, "today") if self.opening_equity(day) is not None else "not known yet"

    def since_of_week(self, day: date) -> str:
        """From when a loss of the week counts, in words; that it is not last week's close, where it is not."""
        state = self.state
        if self.opening_equity_of_week(day) is None:
            return "not known yet"
        return _since_of_week(state.week_close_of, state.week_day, is_known=self.is_last_week_known(day))

    def is_last_week_known(self, day: date) -> bool:
        """Whether a loss of the week counts from last week's close."""
        close_of = self.state.week_close_of
        return self.state.week == monday_of(day) and close_of is not None and close_of < monday_of(day)

    def loss(self, day: date, equity: Decimal) -> Money | None:
        """Start-of-day equity less `equity`, USD; below zero is a gain."""
        opening = self.opening_equity(day)
        return None if opening is None else Money(opening - equity)

    def loss_of_week(self, day: date, equity: Decimal) -> Money | None:
        """Start-of-week equity less `equity`, USD; below zero is a gain."""
        opening = self.opening_equity_of_week(day)
        return None if opening is None else Money(opening - equity)

    def _started(self, _at: datetime, fact: DayStarted) -> None:
        state = self.state
        state.day, state.equity, state.close_of = fact.day, fact.equity, fact.close_of
        if state.week != monday_of(fact.day):
            state.week, state.week_equity = monday_of(fact.day), fact.equity
            state.week_day, state.week_close_of = fact.day, fact.close_of

    def _corrected(self, _at: datetime, fact: DayCorrected) -> None:
        """A week that began with this day began with the same figure."""
        state = self.state
        state.equity, state.close_of = fact.equity, fact.close_of
        if state.week_day == fact.day:
            state.week_equity, state.week_close_of = fact.equity, fact.close_of


def begun(day: date, account: Account, calendar: Calendar) -> DayStarted:
    """What the day's loss is measured against, by its first figures. A new account had no last close."""
    close_of = day_before(day, calendar)
    if account.last_equity is None or account.last_equity <= 0 or close_of is None:
        return DayStarted(day, account.equity)
    return DayStarted(day, account.last_equity, close_of)


def corrected(day: date, account: Account, calendar: Calendar, known: DayState) -> DayCorrected | None:
    """What the broker's word on the last close makes of a day that has begun; None where it is the same, or none."""
    told = begun(day, account, calendar)
    if told.close_of is None or (told.equity, told.close_of) == (known.equity, known.close_of):
        return None
    return DayCorrected(day, told.equity, told.close_of)


def day_before(day: date, calendar: Calendar) -> date | None:
    """The last trading day before one; None where the calendar does not reach so far."""
    for back in range(1, LONGEST_PAUSE):
        try:
            session = calendar.session_on(day - timedelta(days=back))
        except LookupError:
            return None
        if isinstance(session, Session):
            return session.day
    return None


def shuts_again_at(lost: Decimal, limit: Decimal) -> Money:
    """USD lost at which an overridden limit shuts again: the next half of it beyond the limit and beyond what is lost.

    RK-06: of a limit of 10 at 15, 20, 25 and so on.
    """
    half = limit / 2
    return Money(max(lost // half + 1, Decimal(3)) * half)


@lru_cache(maxsize=8)
def _since_of_week(close_of: date | None, week_day: date | None, *, is_known: bool) -> str:
    words = _since(close_of, "its first day" if week_day is None else f"{week_day:%a %d %b}")
    return words if is_known else f"{words}; last week's close is not known"


@lru_cache(maxsize=8)
def _since(close_of: date | None, first: str) -> str:
    return f"since the close of {close_of:%a %d %b}" if close_of is not None else f"since the first figure of {first}"


@lru_cache(maxsize=8)
def monday_of(day: date) -> date:
    """Of the day's week. Exchange weeks begin on Monday, also where that is a holiday."""
    return day - timedelta(days=day.weekday())
