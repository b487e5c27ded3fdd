"""The slice of the protections with the operator's overrides, and a report of what would have tripped (RK-06)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core import facts
from core.model.bar import Bar
from core.model.codes import GuardCode
from core.model.lazy_dataclass import dataclass
from core.model.position import Ended
from core.model.reference_data import PastDays
from core.model.session import HOME, Venue
from core.model.staging import Proposal
from core.model.values import Money, Symbol
from core.risk.protections.closed_trades import ClosedTrade, closed, direction_of
from core.risk.protections.drawdown import EquityCurve, EquityCurveState, MaxDrawdown, MaxDrawdownState
from core.risk.protections.frequency import (
    DayTrades,
    DayTradesState,
    RepeatedExecution,
    RepeatedExecutionState,
    weekday_after,
)
from core.risk.protections.losing_trades import (
    Cooldown,
    CooldownState,
    LossStreak,
    LossStreakState,
    LowProfit,
    LowProfitState,
    StopLossGuard,
    StopLossGuardState,
)
from core.risk.protections.protection import Answer, Lock, Protection, Scope, TradeProtection
from core.risk.protections.volatility_halt import VolatilityHalt, VolatilityHaltState
from core.settings.protections import ProtectionSettings, ProtectionsSettings


@dataclass(frozen=True, slots=True)
class ToldOverride:
    """A recorded trip. `until` is None if it ends with its reason; `limit` is the loss limit that was reached, USD."""

    name: str
    scope: str
    reason: str
    since: datetime
    until: datetime | None
    limit: Money | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A typed override: trips up to `at` pass from `begins` to `until`, or until `again_at` USD are lost."""

    at: datetime
    begins: datetime
    until: datetime
    again_at: Money | None = None

    def ends_at(self, lost: Decimal) -> bool:
        """Return whether the account's loss has reached the amount that ends the override."""
        return self.again_at is not None and lost >= self.again_at


@dataclass(slots=True)
class OverridesState:
    """Both are keyed `name/scope`."""

    told: dict[str, ToldOverride] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)


class Overrides:
    def __init__(self) -> None:
        self.state = OverridesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.ProtectionTripped: self._tripped,
            facts.ProtectionExpired: self._expired,
            facts.ProtectionOverridden: self._overridden,
            facts.OverrideEnded: self._override_ended,
        }

    def told(self, name: str, scope: str) -> ToldOverride | None:
        return self.state.told.get(key_of(name, scope))

    def all_told(self) -> Iterator[ToldOverride]:
        return iter(self.state.told.values())

    def typed(self, name: str, scope: str) -> Override | None:
        """Return the override typed for this scope that has not ended, even before it begins."""
        return self.state.overrides.get(key_of(name, scope))

    def all_overrides(self) -> Iterator[tuple[str, str, Override]]:
        """Yield each override with its protection's name and scope."""
        for key, override in self.state.overrides.items():
            name, _, scope = key.partition("/")
            yield name, scope, override

    def override(self, name: str, scope: str, tripped_at: datetime, at: datetime) -> Override | None:
        """Return the unexpired override typed for this trip; it may begin later."""
        found = self.state.overrides.get(key_of(name, scope))
        return found if found is not None and tripped_at <= found.at and at < found.until else None

    def passing(self, name: str, scope: str, tripped_at: datetime, at: datetime) -> Override | None:
        """Return the override that lets entries pass this trip now."""
        found = self.override(name, scope, tripped_at, at)
        return found if found is not None and found.begins <= at else None

    def passes(self, name: str, scope: str, tripped_at: datetime, at: datetime) -> bool:
        """Return whether entries pass this trip now."""
        return self.passing(name, scope, tripped_at, at) is not None

    def _tripped(self, at: datetime, fact: facts.ProtectionTripped) -> None:
        before = self.told(fact.name, fact.scope)
        since = before.since if before is not None else at
        told = ToldOverride(fact.name, fact.scope, fact.reason, since, fact.until, fact.limit)
        self.state.told[key_of(fact.name, fact.scope)] = told

    def _expired(self, _at: datetime, fact: facts.ProtectionExpired) -> None:
        self.state.told.pop(key_of(fact.name, fact.scope), None)
        self.state.overrides.pop(key_of(fact.name, fact.scope), None)

    def _overridden(self, at: datetime, fact: facts.ProtectionOverridden) -> None:
        self.state.overrides[key_of(fact.name, fact.scope)] = Override(at, fact.begins, fact.until, fact.again_at)

    def _override_ended(self, _at: datetime, fact: facts.OverrideEnded) -> None:
        self.state.overrides.pop(key_of(fact.name, fact.scope), None)


def key_of(name: str, scope: str) -> str:
    return f"{name}/{scope}"


@dataclass(slots=True)
class BookState:
    stop_loss_guard: StopLossGuardState = field(default_factory=StopLossGuardState)
    cooldown: CooldownState = field(default_factory=CooldownState)
    low_profit: LowProfitState = field(default_factory=LowProfitState)
    loss_streak: LossStreakState = field(default_factory=LossStreakState)
    max_drawdown: MaxDrawdownState = field(default_factory=MaxDrawdownState)
    volatility_halt: VolatilityHaltState = field(default_factory=VolatilityHaltState)
    equity_curve: EquityCurveState = field(default_factory=EquityCurveState)
    repeated_execution: RepeatedExecutionState = field(default_factory=RepeatedExecutionState)
    day_trades: DayTradesState = field(default_factory=DayTradesState)
    latches: OverridesState = field(default_factory=OverridesState)


NAMES = (
    MaxDrawdown.name,
    StopLossGuard.name,
    Cooldown.name,
    LowProfit.name,
    LossStreak.name,
    VolatilityHalt.name,
    EquityCurve.name,
    RepeatedExecution.name,
    DayTrades.name,
)
"""In the order in which tickets and panes list them."""
WITHOUT_OWN_CHECK = tuple(name for name in NAMES if name not in (RepeatedExecution.name, DayTrades.name))
"""Those that the gate asks only whether they are tripped; the check of each other asks more."""
RENEWED = frozenset(
    {
        GuardCode.WITH_ITS_DAY,
        GuardCode.PERMITTED_NO_MORE,
        GuardCode.NOT_THERE,
        GuardCode.REFUSED,
        GuardCode.KEPT_BACK,
    }
)
"""Reasons for which the desk stages a stop again by itself."""


def scope_of_guard(proposal: Proposal) -> Scope:
    """Return the scope of the position that the stop guards."""
    return Scope(symbol=proposal.symbol, strategy=proposal.strategy)


class ProtectionBook:
    """The slice of the protections: passes closed trades and bars to those that count them; locks survive a restart.

    All protections that count closed trades or watch bars.

    Parameters
    ----------
    settings
        Read at each trade and bar; earlier counts under other terms stay.
    next_day
        The business day after a day.
    venue
        Its clock decides when a day begins and ends.
    ended
        The trade that the current fill closed.
    shadows_ended
        Shadow trades that count and that the current fact ended.
    entered
        The scope of the entry whose first fill this is; None if it is not a first fill.

    Attributes
    ----------
    has_news
        Something tripped or recovered without a closed trade of ours, and is not recorded yet. A hint to look, not part
        of the state.
    """

    name = "protections"

    def __init__(
        self,
        settings: Callable[[], ProtectionsSettings],
        next_day: Callable[[date], date] = weekday_after,
        venue: Venue = HOME,
        ended: Callable[[], Ended | None] = lambda: None,
        shadows_ended: Callable[[], Sequence[ClosedTrade]] = lambda: (),
        entered: Callable[[facts.OrderFilled], Scope | None] = lambda _fact: None,
    ) -> None:
        self.settings, self.venue, self.ended, self.shadows_ended = settings, venue, ended, shadows_ended
        self.entered = entered
        self.max_drawdown = MaxDrawdown(lambda: settings().max_drawdown)
        self.stop_loss_guard = StopLossGuard(lambda: settings().stop_loss_guard)
        self.cooldown = Cooldown(lambda: settings().cooldown)
        self.low_profit = LowProfit(lambda: settings().low_profit)
        self.loss_streak = LossStreak(lambda: settings().loss_streak)
        self.volatility_halt = VolatilityHalt(lambda: settings().volatility_halt)
        self.equity_curve = EquityCurve(lambda: settings().equity_curve)
        self.repeated_execution = RepeatedExecution(lambda: settings().repeated_execution)
        self.day_trades = DayTrades(lambda: settings().day_trades, next_day, venue)
        self.of_trades: tuple[TradeProtection, ...] = (
            self.max_drawdown,
            self.stop_loss_guard,
            self.cooldown,
            self.low_profit,
            self.loss_streak,
            self.equity_curve,
            self.day_trades,
        )
        self.latches = Overrides()
        self.has_news = False
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.BarClosed: self._bar_closed,
            facts.HistoryLoaded: self._history_taken,
            facts.PastDaysLoaded: self._past_taken,
            facts.OrderFilled: self._order_filled,
            **dict.fromkeys(
                (facts.ProposalEnded, facts.ProposalSkipped, facts.SubmissionBlocked), self._shadows_followed
            ),
            facts.DayStarted: self._day_started,
            facts.DayCorrected: self._day_started,
            facts.StrategyResumed: self._resumed,
            facts.ProposalStaged: self._staged,
            **self.latches.folds,
            facts.ProtectionTripped: self._tripped,
            facts.ProtectionOverridden: self._overridden,
        }
        others = (self.volatility_halt, self.repeated_execution)
        self.by_name: dict[str, Protection] = {protection.name: protection for protection in (*self.of_trades, *others)}
        self.all = tuple(self.by_name[name] for name in NAMES)

    @property
    def state(self) -> BookState:
        return BookState(
            self.stop_loss_guard.state,
            self.cooldown.state,
            self.low_profit.state,
            self.loss_streak.state,
            self.max_drawdown.state,
            self.volatility_halt.state,
            self.equity_curve.state,
            self.repeated_execution.state,
            self.day_trades.state,
            self.latches.state,
        )

    def restore(self, state: BookState) -> None:
        self.stop_loss_guard.state = state.stop_loss_guard
        self.cooldown.state = state.cooldown
        self.low_profit.state = state.low_profit
        self.loss_streak.state = state.loss_streak
        self.max_drawdown.state = state.max_drawdown
        self.volatility_halt.restore(state.volatility_halt)
        self.equity_curve.state = state.equity_curve
        self.repeated_execution.state = state.repeated_execution
        self.day_trades.state = state.day_trades
        self.latches.state = state.latches

    def is_on(self, protection: Protection) -> bool:
        terms: ProtectionSettings = getattr(self.settings(), protection.name)
        return terms.enabled

    def look_at_news(self) -> None:
        """Clear the hint once someone looks."""
        self.has_news = False

    def take(self, trade: ClosedTrade) -> None:
        for protection in self.of_trades:
            protection.take(trade)

    def take_shadow(self, trade: ClosedTrade) -> None:
        """Count the trade that a refused entry would have made.

        Only the equity curve, which refused it, counts it (RK-13).
        """
        self.equity_curve.take(trade)
        self.has_news = True

    def _bar_closed(self, _at: datetime, fact: facts.BarClosed) -> None:
        bar = fact.bar
        if self.volatility_halt.take_bar(bar, self.venue.day_of(bar.start)):
            self.has_news = True
        for trade in self.shadows_ended():
            self.take_shadow(trade)

    def _shadows_followed(self, _at: datetime, _fact: facts.Fact) -> None:
        """Handle a newly followed shadow trade; the first of a day ends those of the day before."""
        for trade in self.shadows_ended():
            self.take_shadow(trade)

    def _order_filled(self, at: datetime, fact: facts.OrderFilled) -> None:
        """Count a trade with its last fill, so that a rebuild counts it the same way."""
        if (scope := self.entered(fact)) is not None:
            self.repeated_execution.take_fill(at, scope)
        if (over := self.ended()) is not None:
            self.take(closed(over.trade, direction_of(over)))

    def _staged(self, at: datetime, fact: facts.ProposalStaged) -> None:
        if fact.proposal.guard in RENEWED:
            self.repeated_execution.take_renewal(at, scope_of_guard(fact.proposal))

    def _tripped(self, at: datetime, fact: facts.ProtectionTripped) -> None:
        self.latches.folds[facts.ProtectionTripped](at, fact)
        if fact.name == RepeatedExecution.name:
            self.repeated_execution.shut(at, fact.scope, fact.reason)

    def _overridden(self, at: datetime, fact: facts.ProtectionOverridden) -> None:
        self.latches.folds[facts.ProtectionOverridden](at, fact)
        if fact.name == RepeatedExecution.name:
            self.repeated_execution.release(fact.scope)

    def _history_taken(self, _at: datetime, fact: facts.HistoryLoaded) -> None:
        """Feed the bars to the volatility measures, as to strategies."""
        self.take_history(fact.symbol, [(self.venue.day_of(bar.start), bar) for bar in fact.bars])

    def _past_taken(self, _at: datetime, fact: facts.PastDaysLoaded) -> None:
        """Seed the season measures from the broker's history before today's first bar."""
        self.take_past(fact.past, [(self.venue.day_of(bar.start), bar) for bar in fact.past.minutes])

    def take_history(self, symbol: Symbol, bars: Iterable[tuple[date, Bar]]) -> None:
        """Take complete past bars, each with its trading day; they trip nothing."""
        self.volatility_halt.take_history(symbol, bars)

    def take_past(self, past: PastDays, minutes: Iterable[tuple[date, Bar]]) -> None:
        """Take the days before today, and the last day's final minutes; they trip nothing."""
        self.volatility_halt.take_past(past.symbol, past.days, minutes)

    def refuses_by_curve(self, strategy: str, ended: Sequence[ClosedTrade] = ()) -> bool:
        """Return whether the equity curve locks a strategy; `ended` are shadow trades that the current fact ends."""
        if not self.is_on(self.equity_curve):
            return False
        return self.equity_curve.after(ended).is_shut(strategy) if ended else self.equity_curve.is_shut(strategy)

    def disabled_strategies(self) -> tuple[str, ...]:
        """Return strategies that wait for the operator's review."""
        return tuple(self.equity_curve.disabled()) if self.is_on(self.equity_curve) else ()

    def _day_started(self, at: datetime, fact: facts.DayStarted | facts.DayCorrected) -> None:
        """Start a day. The broker's close figure is of the usual closing time, also on a short day."""
        closed_at = at if fact.close_of is None else self.venue.at(fact.close_of, self.venue.closes)
        self.begin_day(at, fact.equity, closed_at)

    def begin_day(self, at: datetime, equity: Money, equity_at: datetime | None = None) -> None:
        """Start a day with an account value measured at `equity_at`; None for now."""
        self.max_drawdown.begin_day(equity_at or at, equity)
        for protection in self.all:
            protection.locks.forget_before(at)
        self.repeated_execution.forget_before(at)
        self.day_trades.begin_day(at, equity)

    def _resumed(self, at: datetime, fact: facts.StrategyResumed) -> None:
        self.equity_curve.resume(at, fact.strategy)
        self.has_news = True

    def is_shut(self, name: str, scope: str, at: datetime) -> bool:
        """Return whether an enabled protection locks exactly this scope."""
        protection = self.by_name.get(name)
        return (
            protection is not None
            and self.is_on(protection)
            and any(str(lock.scope) == scope for lock in protection.locks.holding(at))
        )

    def on_entry(self, name: str, entry: Scope, at: datetime) -> list[tuple[Lock, Override | None]]:
        """Return a protection's locks on an entry, each with the override that lets it pass; empty if it is off."""
        protection = self.by_name[name]
        if not self.is_on(protection):
            return []
        return [
            (lock, self.latches.passing(name, str(lock.scope), lock.tripped_at, at))
            for lock in protection.locks.by_scope.values()
            if lock.scope.covers(entry) and lock.holds(at)
        ]

    def overridden(self, answer: Answer, at: datetime) -> Override | None:
        """Return the override that lets entries pass this trip now, if any."""
        if answer.tripped_at is None:
            return None
        return self.latches.passing(answer.name, str(answer.scope), answer.tripped_at, at)

    def answers(self, at: datetime) -> Iterator[Answer]:
        for protection in self.all:
            if self.is_on(protection):
                yield from protection.answers(at)


LONG_BEFORE = timedelta(days=366)


def answers_at(
    trades: Iterable[ClosedTrade],
    at: datetime,
    settings: ProtectionsSettings,
    next_day: Callable[[date], date] = weekday_after,
) -> tuple[Answer, ...]:
    """Return each protection's status at `at`, tripped ones first; trades that close later are left out.

    Only ratios are known: a ratio counts as a share of an equity of one.
    """
    book = ProtectionBook(lambda: settings, next_day)
    known = [trade for trade in trades if trade.closed_at <= at]
    if known:
        book.begin_day(known[0].closed_at - LONG_BEFORE, Money(Decimal(1)))
    for trade in known:
        book.take(trade)
    return tuple(sorted(book.answers(at), key=lambda answer: not answer.is_tripped))


def as_json(answers: Iterable[Answer]) -> Iterator[dict[str, object]]:
    for answer in answers:
        yield {
            "name": answer.name,
            "scope": str(answer.scope),
            "tripped": answer.is_tripped,
            "measure": None if answer.measure is None else float(answer.measure),
            "limit": None if answer.limit is None else float(answer.limit),
            "until": answer.until.isoformat() if answer.until else None,
            "since": answer.since.isoformat() if answer.since else None,
            "reason": answer.reason,
        }


def in_words(answer: Answer) -> str:
    """As in `TRIPPED stop_loss_guard SPY: 3 stop-outs …, until …`."""
    state = "TRIPPED" if answer.is_tripped else "free   "
    until = f", until {answer.until:%Y-%m-%d %H:%M} UTC" if answer.until else ""
    return f"{state} {answer.name} {answer.scope}: {answer.figures}, {answer.reason}{until}"
