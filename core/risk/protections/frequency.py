"""Protections that count orders: day trades, and repeated executions (RK-15, RK-24)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.lazy_dataclass import dataclass
from core.model.session import Calendar, Venue
from core.model.values import Money
from core.risk.protections.closed_trades import ClosedTrade
from core.risk.protections.protection import EVERYTHING, Lock, Locks, Measure, Protection, Scope, TradeProtection
from core.settings.protections import DayTradesSettings, RepeatedExecutionSettings

ONE_DAY = timedelta(days=1)
FRIDAY = 4


@dataclass(slots=True)
class DayTradesState:
    """`ends` is when each day trade stops counting, oldest first; `equity` is that of the last day's start."""

    ends: list[datetime] = field(default_factory=list)
    equity: Money | None = None
    locks: Locks = field(default_factory=Locks)


class DayTrades(TradeProtection):
    """Day trades of the last business days shut entries one before the broker would count too many (RK-15).

    Shuts entries that could become day trades; ends when a counted day leaves the window, or with enough equity.

    Parameters
    ----------
    next_day
        The business day after a day.
    venue
        Its clock decides when a day begins and ends.

    For accounts at brokers that still keep the pattern-day-trader rule, which FINRA retired on 2026-06-04: off by
    default. A day trade is a trade that was opened and closed on one day of its venue; that of a Monday counts
    until Friday's end.
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


GOES_ON = "you let it go on: o in Protections"
"""The text of its end."""
FILLS, RENEWALS = "filled entries", "renewals of its stop"


@dataclass(slots=True)
class Repeats:
    """For one strategy in one symbol: the times of its entries' first fills and of its stop's renewals."""

    scope: Scope
    fills: list[datetime] = field(default_factory=list)
    renewals: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class RepeatedExecutionState:
    """`repeats` are keyed by their scope's text; one without a recent time is not kept."""

    repeats: dict[str, Repeats] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class RepeatedExecution(Protection):
    """Filled entries of one strategy in one symbol, or renewals of its stop, that follow each other too fast (RK-24).

    Shuts the strategy's entries in the symbol; ends by a typed override, and by no time.

    A loop that buys again and again, or asks for the same stop again and again, is stopped by its count. The counts
    are folded from every journal; the decision that a count is too high is recorded as a fact, so that journals
    older than this protection keep their meaning.
    """

    name = "repeated_execution"
    is_count = True

    def __init__(self, terms: Callable[[], RepeatedExecutionSettings]) -> None:
        self.terms = terms
        self.state = RepeatedExecutionState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take_fill(self, at: datetime, scope: Scope) -> None:
        """Count the first fill of an entry."""
        found = self._repeats(scope)
        found.fills = [*self._recent(found.fills, at), at]

    def take_renewal(self, at: datetime, scope: Scope) -> None:
        """Count a renewal of its stop by the desk."""
        found = self._repeats(scope)
        found.renewals = [*self._recent(found.renewals, at), at]

    def exceeded(self, scope: Scope, at: datetime) -> str | None:
        """Return why to lock it now; None if nothing is exceeded, or it is locked already."""
        found = self.state.repeats.get(str(scope))
        if found is None or self.locks.on(scope, at) is not None:
            return None
        terms = self.terms()
        for times, limit, what in ((found.fills, terms.fills, FILLS), (found.renewals, terms.renewals, RENEWALS)):
            count = len(self._recent(times, at))
            if count >= limit:
                return f"{count} {what} within {terms.minutes} min, the limit is {limit}"
        return None

    def shut(self, at: datetime, scope: str, reason: str) -> None:
        """Lock it as recorded."""
        found = self.state.repeats.get(scope)
        if found is not None:
            measure = self._measure(found, at)
            limit = measure.limit
            self.locks.shut(Lock(found.scope, at, None, measure.figure or limit, limit, reason))

    def release(self, scope: str) -> None:
        """Reset the counts after the operator's override."""
        found = self.state.repeats.pop(scope, None)
        if found is not None:
            self.locks.lift(found.scope)

    def forget_before(self, at: datetime) -> None:
        """Remove scopes without recent times or a lock."""
        self.state.repeats = {
            key: found
            for key, found in self.state.repeats.items()
            if self._recent(found.fills, at) or self._recent(found.renewals, at) or self.locks.on(found.scope, at)
        }

    def measures(self, at: datetime) -> Iterator[Measure]:
        found = [self._measure(each, at) for each in self.state.repeats.values()]
        counted = [measure for measure in found if measure.figure]
        yield from counted or [Measure(EVERYTHING, Decimal(0), Decimal(self.terms().fills), self._words(FILLS))]

    def _measure(self, found: Repeats, at: datetime) -> Measure:
        """Return the count that is nearer to its limit."""
        terms = self.terms()
        fills, renewals = len(self._recent(found.fills, at)), len(self._recent(found.renewals, at))
        if renewals * terms.fills > fills * terms.renewals:
            return Measure(found.scope, Decimal(renewals), Decimal(terms.renewals), self._words(RENEWALS))
        return Measure(found.scope, Decimal(fills), Decimal(terms.fills), self._words(FILLS))

    def _words(self, what: str) -> str:
        return f"{what} within {self.terms().minutes} min"

    def _repeats(self, scope: Scope) -> Repeats:
        return self.state.repeats.setdefault(str(scope), Repeats(scope))

    def _recent(self, times: list[datetime], at: datetime) -> list[datetime]:
        since = at - timedelta(minutes=self.terms().minutes)
        return [time for time in times if time > since]
