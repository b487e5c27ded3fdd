"""The slice of the protections: passes closed trades and bars to those that count them; locks survive a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core.facts import (
    BarClosed,
    DayCorrected,
    DayStarted,
    Fact,
    HistoryLoaded,
    OrderFilled,
    PastDaysLoaded,
    ProposalEnded,
    ProposalSkipped,
    ProposalStaged,
    ProtectionOverridden,
    ProtectionTripped,
    StrategyResumed,
    SubmissionBlocked,
)
from core.model.bar import Bar
from core.model.codes import GuardCode
from core.model.past_days import PastDays
from core.model.position import Ended
from core.model.staging import Proposal
from core.model.values import Money, Symbol
from core.model.venue import Venue
from core.model.venues import HOME
from core.risk.protections.base import Answer, Lock, Protection, Scope, TradeProtection
from core.risk.protections.cooldown import Cooldown, CooldownState
from core.risk.protections.day_trades import DayTrades, DayTradesState, weekday_after
from core.risk.protections.equity_curve import EquityCurve, EquityCurveState
from core.risk.protections.loss_streak import LossStreak, LossStreakState
from core.risk.protections.low_profit import LowProfit, LowProfitState
from core.risk.protections.max_drawdown import MaxDrawdown, MaxDrawdownState
from core.risk.protections.overrides import Override, Overrides, OverridesState
from core.risk.protections.repeated_execution import RepeatedExecution, RepeatedExecutionState
from core.risk.protections.stop_loss_guard import StopLossGuard, StopLossGuardState
from core.risk.protections.trades import ClosedTrade, closed, direction_of
from core.risk.protections.volatility_halt import VolatilityHalt, VolatilityHaltState
from core.settings.protections import ProtectionSettings, ProtectionsSettings


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
    """All protections that count closed trades or watch bars.

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
        entered: Callable[[OrderFilled], Scope | None] = lambda _fact: None,
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
            BarClosed: self._bar_closed,
            HistoryLoaded: self._history_taken,
            PastDaysLoaded: self._past_taken,
            OrderFilled: self._order_filled,
            **dict.fromkeys((ProposalEnded, ProposalSkipped, SubmissionBlocked), self._shadows_followed),
            DayStarted: self._day_started,
            DayCorrected: self._day_started,
            StrategyResumed: self._resumed,
            ProposalStaged: self._staged,
            **self.latches.folds,
            ProtectionTripped: self._tripped,
            ProtectionOverridden: self._overridden,
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

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        bar = fact.bar
        if self.volatility_halt.take_bar(bar, self.venue.day_of(bar.start)):
            self.has_news = True
        for trade in self.shadows_ended():
            self.take_shadow(trade)

    def _shadows_followed(self, _at: datetime, _fact: Fact) -> None:
        """Handle a newly followed shadow trade; the first of a day ends those of the day before."""
        for trade in self.shadows_ended():
            self.take_shadow(trade)

    def _order_filled(self, at: datetime, fact: OrderFilled) -> None:
        """Count a trade with its last fill, so that a rebuild counts it the same way."""
        if (scope := self.entered(fact)) is not None:
            self.repeated_execution.take_fill(at, scope)
        if (over := self.ended()) is not None:
            self.take(closed(over.trade, direction_of(over)))

    def _staged(self, at: datetime, fact: ProposalStaged) -> None:
        if fact.proposal.guard in RENEWED:
            self.repeated_execution.take_renewal(at, scope_of_guard(fact.proposal))

    def _tripped(self, at: datetime, fact: ProtectionTripped) -> None:
        self.latches.folds[ProtectionTripped](at, fact)
        if fact.name == RepeatedExecution.name:
            self.repeated_execution.shut(at, fact.scope, fact.reason)

    def _overridden(self, at: datetime, fact: ProtectionOverridden) -> None:
        self.latches.folds[ProtectionOverridden](at, fact)
        if fact.name == RepeatedExecution.name:
            self.repeated_execution.release(fact.scope)

    def _history_taken(self, _at: datetime, fact: HistoryLoaded) -> None:
        """Feed the bars to the volatility measures, as to strategies."""
        self.take_history(fact.symbol, [(self.venue.day_of(bar.start), bar) for bar in fact.bars])

    def _past_taken(self, _at: datetime, fact: PastDaysLoaded) -> None:
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

    def _day_started(self, at: datetime, fact: DayStarted | DayCorrected) -> None:
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

    def _resumed(self, at: datetime, fact: StrategyResumed) -> None:
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
