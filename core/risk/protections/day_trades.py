"""Day trades of the last business days shut entries one before the broker would count too many (RK-15).

For accounts at brokers that still keep the pattern-day-trader rule, which FINRA retired on 2026-06-04: off by default.
A day trade is a trade that was opened and closed on one day of its venue; that of a Monday counts until Friday's end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.calendar import Calendar
from core.model.values import Money
from core.model.venue import Venue
from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, TradeProtection
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import DayTradesSettings

ONE_DAY = timedelta(days=1)
FRIDAY = 4


@dataclass(slots=True)
class DayTradesState:
    """`ends` is when each day trade stops counting, oldest first; `equity` is that of the last day's start."""

    ends: list[datetime] = field(default_factory=list)
    equity: Money | None = None
    locks: Locks = field(default_factory=Locks)


class DayTrades(TradeProtection):
    """Shuts entries that could become day trades; ends when a counted day leaves the window, or with enough equity.

    Parameters
    ----------
    next_day
        The business day after a day.
    venue
        Its clock decides when a day begins and ends.
    """

    name = "day_trades"
    is_count = True

    def __init__(self, terms: Callable[[], DayTradesSettings], next_day: Callable[[date], date], venue: Venue) -> None:
        self.terms = terms
        self.next_day = next_day
        self.venue = venue
        self.state = DayTradesState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    @property
    def is_watched(self) -> bool:
        """Return whether the rule applies: equity is below its minimum, or unknown."""
        return self.state.equity is None or self.state.equity < self.terms().equity

    def begin_day(self, at: datetime, equity: Money) -> None:
        """Decide by the day's opening equity whether the rule applies."""
        self.state.equity = equity
        self._forget_before(at)
        if self.is_watched:
            self._judge(at)
        else:
            self.locks.by_scope.clear()

    def take(self, trade: ClosedTrade) -> None:
        day_of = self.venue.day_of
        day = day_of(trade.closed_at)
        self._forget_before(trade.closed_at)
        if day_of(trade.opened_at) == day:
            self.state.ends.append(max([self._end(day), *self.state.ends[-1:]]))
        if self.is_watched:
            self._judge(trade.closed_at)

    def counted(self, at: datetime) -> int:
        return len(self.state.ends) - bisect_right(self.state.ends, at)

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        words = f"day trades of {terms.days} business days, entries end one before {terms.trade_limit}"
        if not self.is_watched:
            words = f"day trades; not limited from {terms.equity:,.0f} USD of equity on"
        yield Measure(EVERYTHING, Decimal(self.counted(at)), Decimal(terms.trade_limit), words)

    def _judge(self, at: datetime) -> None:
        """Lock entries once the next day trade could be the last allowed, until enough of them have expired."""
        terms, ends = self.terms(), self.state.ends
        allowed = terms.trade_limit - 1
        if len(ends) >= allowed:
            reason = f"{len(ends)} day trades in {terms.days} business days, one more could be number {len(ends) + 1}"
            limit = Decimal(terms.trade_limit)
            self.locks.shut(Lock(EVERYTHING, at, ends[-allowed], Decimal(len(ends)), limit, reason))

    def _forget_before(self, at: datetime) -> None:
        del self.state.ends[: bisect_right(self.state.ends, at)]

    def _end(self, day: date) -> datetime:
        """Return the first instant of the business day on which a day trade of `day` no longer counts."""
        for _ in range(self.terms().days):
            day = max(self.next_day(day), day + ONE_DAY)
        return self.venue.start_of(day)


def business_days(calendar: Calendar) -> Callable[[date], date]:
    """Return a function for the next business day by the exchange's calendar; beyond it, the next weekday."""

    def after(day: date) -> date:
        try:
            return calendar.next_session(calendar.venue.end_of(day)).day
        except LookupError:
            return weekday_after(day)

    return after


def weekday_after(day: date) -> date:
    """Return the next weekday: the business day if no calendar is known. A holiday then counts as one."""
    return day + (ONE_DAY if day.weekday() < FRIDAY else timedelta(days=7 - day.weekday()))
