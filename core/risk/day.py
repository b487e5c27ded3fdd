"""The trading day: opening equities, and the entries of the day (RK-03, RK-12).

The broker reports the last close; without that report the day's first figure is used. Until the session opens a later
report replaces it, because shortly after midnight the broker may still report the previous close. A fee of an earlier
day that the broker takes today is taken off the opening equity, so it is no loss of today. Last week's close is
known if the week's first session started with it; otherwise the earliest known figure of the week is used, and the text
says so.

An entry counts if it was filled today, wholly or in part; while it works, also in doubt, because it may still fill,
even if it was filled in part on an earlier day; and from its confirmation on, before it is sent. An entry that ends
without a fill today no longer counts. A replacement does not count itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from core.execution.ledger import Ledger
from core.facts import DayCorrected, DayStarted
from core.model.account import Account
from core.model.lazy_dataclass import dataclass
from core.model.session import Calendar, Session
from core.model.values import ClientOrderId, Money

LONGEST_PAUSE = 12
"""Days within which every exchange has had a session: the longest pause in recent times was a week, in 2001."""

OwedAt = Callable[[date | None], Money]


@dataclass(slots=True)
class DayState:
    """Opening equities of the day and of the week.

    `week` is its Monday; its equity is that of `week_day`, the first day of the week on which the account was read.
    `close_of` and `week_close_of` are the days at whose close the account had that value; None for a first figure.
    """

    day: date | None = None
    equity: Money | None = None
    week: date | None = None
    week_equity: Money | None = None
    close_of: date | None = None
    week_close_of: date | None = None
    week_day: date | None = None


class Day:
    """The slice of the opening equities.

    `owed_at` returns by how much the broker's equity at a close changes, USD: a fee of that day or an earlier one that
    the broker took later is no loss of the days after it.
    """

    name = "day"

    def __init__(self, owed_at: OwedAt) -> None:
        self._owed_at = owed_at
        self.state = DayState()
        self.folds = {DayStarted: self._started, DayCorrected: self._corrected}

    def restore(self, state: DayState) -> None:
        self.state = state

    def opening_equity(self, day: date) -> Money | None:
        """Equity at the day's start, USD; None before its first account figure."""
        return self._at_close(self.state.equity, self.state.close_of) if self.state.day == day else None

    def opening_equity_of_week(self, day: date) -> Money | None:
        """Equity at the start of the day's week, USD; None before its first account figure."""
        if self.state.week != monday_of(day):
            return None
        return self._at_close(self.state.week_equity, self.state.week_close_of)

    def since(self, day: date) -> str:
        """Describe the start of the day's loss."""
        return _since(self.state.close_of, "today") if self.opening_equity(day) is not None else "not known yet"

    def since_of_week(self, day: date) -> str:
        """Describe the start of the week's loss, and say if it is not last week's close."""
        state = self.state
        if self.opening_equity_of_week(day) is None:
            return "not known yet"
        return _since_of_week(state.week_close_of, state.week_day, is_known=self.is_last_week_known(day))

    def is_last_week_known(self, day: date) -> bool:
        """Return whether a loss of the week counts from last week's close."""
        close_of = self.state.week_close_of
        return self.state.week == monday_of(day) and close_of is not None and close_of < monday_of(day)

    def loss(self, day: date, equity: Decimal) -> Money | None:
        """Start-of-day equity less `equity`, USD; below zero is a gain."""
        opening = self.opening_equity(day)
        return None if opening is None else Money(opening - equity)

    def _at_close(self, equity: Money | None, close_of: date | None) -> Money | None:
        return None if equity is None else Money(equity + self._owed_at(close_of))

    def _started(self, _at: datetime, fact: DayStarted) -> None:
        state = self.state
        state.day, state.equity, state.close_of = fact.day, fact.equity, fact.close_of
        if state.week != monday_of(fact.day):
            state.week, state.week_equity = monday_of(fact.day), fact.equity
            state.week_day, state.week_close_of = fact.day, fact.close_of

    def _corrected(self, _at: datetime, fact: DayCorrected) -> None:
        """Correct the day's figure, and the week's if the week began with this day."""
        state = self.state
        state.equity, state.close_of = fact.equity, fact.close_of
        if state.week_day == fact.day:
            state.week_equity, state.week_close_of = fact.equity, fact.close_of


def begun(day: date, account: Account, calendar: Calendar) -> DayStarted:
    """Start a day with the equity that its loss counts from. A new account has no last close."""
    close_of = day_before(day, calendar)
    if account.last_equity is None or account.last_equity <= 0 or close_of is None:
        return DayStarted(day, account.equity)
    return DayStarted(day, account.last_equity, close_of)


def corrected(day: date, account: Account, calendar: Calendar, known: DayState) -> DayCorrected | None:
    """Return a correction of a started day by the broker's last close; None if it is the same or not reported."""
    told = begun(day, account, calendar)
    if told.close_of is None or (told.equity, told.close_of) == (known.equity, known.close_of):
        return None
    return DayCorrected(day, told.equity, told.close_of)


def day_before(day: date, calendar: Calendar) -> date | None:
    """Return the last trading day before `day`; None if the calendar does not reach that far."""
    for back in range(1, LONGEST_PAUSE):
        try:
            session = calendar.session_on(day - timedelta(days=back))
        except LookupError:
            return None
        if isinstance(session, Session):
            return session.day
    return None


def shuts_again_at(lost: Decimal, limit: Decimal) -> Money:
    """Return the loss in USD at which an overridden limit trips again: the next half limit above both the limit and the
    loss.

    RK-06: a limit of 10 trips again at 15, 20, 25 and so on.
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
    """The Monday of the day's week. Exchange weeks begin on Monday, also if it is a holiday."""
    return day - timedelta(days=day.weekday())


Signed = Callable[[str], Sequence[ClientOrderId]]
"""Confirmed entries of a strategy, the first one first; they may already be in the ledger."""


@dataclass(frozen=True, slots=True)
class EntriesTaken:
    """Entries filled on the day, working ones without a fill that day, and confirmed ones that are not sent yet."""

    filled: int
    working: int
    signed: int

    @property
    def total(self) -> int:
        return self.filled + self.working + self.signed

    def __str__(self) -> str:
        """As in `1 filled, 1 working`; `none so far`."""
        parts = ((self.filled, "filled"), (self.working, "working"), (self.signed, "confirmed"))
        return ", ".join(f"{count} {word}" for count, word in parts if count) or "none so far"


def entries_taken(
    strategy: str, day: date, ledger: Ledger, signed: Signed, but: ClientOrderId | None = None
) -> EntriesTaken:
    """Count the entries of a trading day; against the asking order `but`, only earlier confirmations count.

    So of two confirmations at the same time the first one gets the last entry.
    """
    working = ledger.unfilled_entries(strategy, day)
    to_come = [order_id for order_id in signed(strategy) if not ledger.has(order_id)]
    if but in to_come:
        del to_come[to_come.index(but) :]
    return _counted(ledger.entries_filled(strategy, day), len(working) - (but in working), len(to_come))


_counted = lru_cache(maxsize=64)(EntriesTaken)
