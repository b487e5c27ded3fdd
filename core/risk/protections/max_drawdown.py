"""A fall of the balance within the window shuts everything (RK-04).

The balance is the equity at the window's start and the profits of the trades closed since. The account's value is known
at each day's last close; the trades between that and the window's start are added. There are two methods. `current`:
(peak - now) / peak of that balance. `within` is freqtrade's MaxDrawdown: the largest fall inside the window, in sums of
profit ratios.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.values import ZERO, Money, percent
from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, TradeProtection
from core.risk.protections.rolling_trades import RollingCourse, RunningTotal
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import MaxDrawdownSettings

NOT_ENOUGH = "fewer trades than are judged"
NO_EQUITY = "equity at the window's start is not known"


@dataclass(slots=True)
class Equities:
    """The account's value before each day, as far back as the window reaches, and one value before that."""

    times: list[datetime] = field(default_factory=list)
    amounts: list[Money] = field(default_factory=list)

    def add(self, at: datetime, amount: Money, oldest: datetime) -> None:
        """Add a value; it replaces earlier reports of the same or a later time."""
        mended = bisect_left(self.times, at)
        del self.times[mended:], self.amounts[mended:]
        self.times.append(at)
        self.amounts.append(amount)
        past = bisect_right(self.times, oldest) - 1
        if past > 0:
            del self.times[:past], self.amounts[:past]

    def at(self, moment: datetime) -> tuple[datetime, Money] | None:
        """Return the last value up to `moment`, or the first known one, with its time."""
        if not self.times:
            return None
        found = max(bisect_right(self.times, moment) - 1, 0)
        return self.times[found], self.amounts[found]


@dataclass(slots=True)
class MaxDrawdownState:
    """State of the drawdown.

    `course` is in USD for the first method, and in ratios for the second, or if a profit is unknown. `profits` are in
    USD, back to the first of the equities.
    """

    course: RollingCourse = field(default_factory=RollingCourse)
    profits: RunningTotal = field(default_factory=RunningTotal)
    equities: Equities = field(default_factory=Equities)
    locks: Locks = field(default_factory=Locks)
    is_in_ratios: bool = False


class MaxDrawdown(TradeProtection):
    """Shuts every entry; ends its time after the last counted trade closed, or by a typed override."""

    name = "max_drawdown"

    def __init__(self, terms: Callable[[], MaxDrawdownSettings]) -> None:
        self.terms = terms
        self.state = MaxDrawdownState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def begin_day(self, at: datetime, equity: Money) -> None:
        """Add the account's value at time `at`."""
        self.state.equities.add(at, equity, at - self._lookback())

    def take(self, trade: ClosedTrade) -> None:
        terms, course = self.terms(), self.state.course
        is_in_usd = terms.method == "current" and trade.profit is not None
        self.state.is_in_ratios = not is_in_usd
        course.add(trade.closed_at, trade.profit if is_in_usd and trade.profit is not None else trade.ratio)
        start = trade.closed_at - self._lookback()
        course.drop_until(start)
        if is_in_usd and trade.profit is not None:
            self.state.profits.add(trade.closed_at, trade.profit)
            self.state.profits.forget_until(min([start, *self.state.equities.times[:1]]))
        fall, words = self._fall(trade.closed_at)
        if fall is not None and fall > terms.limit:
            until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
            reason = f"{words}: {percent(fall)}, the limit is {percent(terms.limit)}"
            self.locks.shut(Lock(EVERYTHING, trade.closed_at, until, fall, terms.limit, reason))

    def measures(self, at: datetime) -> Iterator[Measure]:
        fall, words = self._fall(at)
        yield Measure(EVERYTHING, fall if fall is not None else ZERO, self.terms().limit, words)

    def _fall(self, at: datetime) -> tuple[Decimal | None, str]:
        """Return the measure and its text; None if there is too little to measure."""
        terms, start = self.terms(), at - self._lookback()
        count, course = self.state.course.since(start)
        if count < terms.trade_limit:
            return None, NOT_ENOUGH
        if terms.method == "within":
            return course.drawdown, "the largest fall within the window"
        equity = self._balance_at(start)
        if equity is None or equity <= 0:
            return None, NO_EQUITY
        peak, now = equity + course.peak, equity + course.end
        return (peak - now) / peak, f"the balance is {self._told(now)}, {self._told(peak)} at its peak"

    def _balance_at(self, start: datetime) -> Decimal | None:
        """Return the known equity, plus profits from then to `start`, or less those since if it is of a later time."""
        known, profits = self.state.equities.at(start), self.state.profits
        return None if known is None else known[1] + profits.by(start) - profits.by(known[0])

    def _told(self, balance: Decimal) -> str:
        """Format in USD; as a multiple of the start if only ratios are known."""
        return f"{balance:.4f} × its start" if self.state.is_in_ratios else f"{balance:,.2f} USD"

    def _lookback(self) -> timedelta:
        return timedelta(minutes=self.terms().lookback_minutes)
