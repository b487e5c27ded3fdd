"""Protections that follow the balance: drawdown, and the curve of a strategy (RK-04, RK-13)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.ledger_state import UNKNOWN_OWNER
from core.model.lazy_dataclass import dataclass
from core.model.staging import MANUAL
from core.model.values import ZERO, Money, percent
from core.risk.protections.closed_trades import ClosedTrade, RollingCourse, RunningTotal
from core.risk.protections.protection import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.settings.protections import EquityCurveSettings, MaxDrawdownSettings

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
    """A fall of the balance within the window shuts everything (RK-04).

    Shuts every entry; ends its time after the last counted trade closed, or by a typed override.

    The balance is the equity at the window's start and the profits of the trades closed since. The account's value
    is known at each day's last close; the trades between that and the window's start are added. There are two
    methods. `current`: (peak - now) / peak of that balance. `within` is freqtrade's MaxDrawdown: the largest fall
    inside the window, in sums of profit ratios.
    """

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
        # The known equity, plus profits from then to `start`, or less those since if it is of a later time.
        known, profits = self.state.equities.at(start), self.state.profits
        equity = None if known is None else known[1] + profits.by(start) - profits.by(known[0])
        if equity is None or equity <= 0:
            return None, NO_EQUITY
        peak, now = equity + course.peak, equity + course.end
        return (peak - now) / peak, f"the balance is {self._told(now)}, {self._told(peak)} at its peak"

    def _told(self, balance: Decimal) -> str:
        """Format in USD; as a multiple of the start if only ratios are known."""
        return f"{balance:.4f} × its start" if self.state.is_in_ratios else f"{balance:,.2f} USD"

    def _lookback(self) -> timedelta:
        return timedelta(minutes=self.terms().lookback_minutes)


NO_STRATEGY = (MANUAL, UNKNOWN_OWNER)


@dataclass(slots=True)
class Curve:
    """One strategy's last results, oldest first.

    Attributes
    ----------
    are_shadows
        For each ratio, whether it is a shadow trade's.
    below
        Results in a row after which their mean was not positive.
    is_disabled
        Until the operator resumes it.
    """

    ratios: list[Decimal] = field(default_factory=list)
    are_shadows: list[bool] = field(default_factory=list)
    total: Decimal = ZERO
    below: int = 0
    is_disabled: bool = False

    def add(self, trade: ClosedTrade, most: int) -> None:
        self.ratios.append(trade.ratio)
        self.are_shadows.append(trade.is_shadow)
        self.total += trade.ratio
        while len(self.ratios) > most:
            self.total -= self.ratios.pop(0)
            del self.are_shadows[0]

    @property
    def mean(self) -> Decimal:
        return self.total / len(self.ratios)

    @property
    def words(self) -> str:
        """As in `20 trades, 3 of them shadows,`."""
        shadows = sum(self.are_shadows)
        return f"{len(self.ratios)} trades" + (f", {shadows} of them shadows," if shadows else "")


@dataclass(slots=True)
class EquityCurveState:
    curves: dict[str, Curve] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class EquityCurve(TradeProtection):
    """A strategy opens only while its last trades made money on average (RK-13).

    Shuts the strategy's entries; ends when its mean is above zero, shadows included, or, once disabled, by the
    operator.

    A result is a profit ratio, so that trades of every size weigh the same. While a strategy is shut, its refused
    entries go on as shadow trades, as many a day as it may open, and their results count like those of trades: it
    can recover. A strategy that stays below zero for too long is disabled until the operator resumes it after a
    review. The operator's own orders and positions taken over from the broker belong to no strategy and have no
    curve.
    """

    name = "equity_curve"

    def __init__(self, terms: Callable[[], EquityCurveSettings]) -> None:
        self.terms = terms
        self.state = EquityCurveState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        if trade.strategy in NO_STRATEGY:
            return
        terms, curve = self.terms(), self.state.curves.setdefault(trade.strategy, Curve())
        curve.add(trade, terms.trades)
        if len(curve.ratios) < terms.trades:
            return
        curve.below = 0 if curve.total > 0 else curve.below + 1
        curve.is_disabled |= curve.below >= terms.disabled_after
        self._settle(trade.closed_at, trade.strategy, curve)

    def after(self, ended: Iterable[ClosedTrade]) -> EquityCurve:
        """Return a copy that has taken these trades; this one stays unchanged."""
        trial = EquityCurve(self.terms)
        trial.state = deepcopy(self.state)
        for trade in ended:
            trial.take(trade)
        return trial

    def resume(self, at: datetime, strategy: str) -> None:
        """Enable a strategy after the operator's review; it stays locked while its mean is not positive."""
        curve = self.state.curves.get(strategy)
        if curve is not None and curve.is_disabled:
            curve.is_disabled, curve.below = False, 0
            self._settle(at, strategy, curve)

    def is_shut(self, strategy: str) -> bool:
        return str(_scope(strategy)) in self.locks.by_scope

    def disabled(self) -> Iterator[str]:
        return (strategy for strategy, curve in self.state.curves.items() if curve.is_disabled)

    def _settle(self, at: datetime, strategy: str, curve: Curve) -> None:
        if curve.total > 0 and not curve.is_disabled:
            self.locks.lift(_scope(strategy))
            return
        review = f"; below for {curve.below} in a row: disabled until you resume it" if curve.is_disabled else ""
        reason = f"the last {curve.words} made {percent(curve.mean, 3)} on average, more than zero is required{review}"
        self.locks.shut(Lock(_scope(strategy), at, None, curve.mean, ZERO, reason))

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        for strategy, curve in self.state.curves.items():
            is_judged = len(curve.ratios) >= terms.trades
            words = (
                f"the mean of the last {curve.words} is above zero"
                if is_judged
                else f"{curve.words} of the {terms.trades} that are judged"
            )
            progress = "" if is_judged else f"{len(curve.ratios)} of {terms.trades} trades"
            yield Measure(_scope(strategy), curve.mean if is_judged else None, ZERO, words, progress)
        if not self.state.curves:
            words = f"no trade of a strategy yet, {terms.trades} are judged"
            yield Measure(EVERYTHING, None, ZERO, words, f"0 of {terms.trades} trades")


def _scope(strategy: str) -> Scope:
    """Trades without a known strategy count together."""
    return Scope(strategy=strategy or None)
