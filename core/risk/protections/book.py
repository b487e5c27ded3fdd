"""The slice of the protections: every closed trade goes through all of them, and their locks outlive a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from core.facts import DayStarted
from core.model.values import Money
from core.risk.protections.contract import Answer, Lock, Scope, TradeProtection
from core.risk.protections.cooldown import Cooldown, CooldownState
from core.risk.protections.day_trades import DayTrades, DayTradesState, weekday_after
from core.risk.protections.latches import Latches, LatchesState
from core.risk.protections.loss_streak import LossStreak, LossStreakState
from core.risk.protections.low_profit import LowProfit, LowProfitState
from core.risk.protections.max_drawdown import MaxDrawdown, MaxDrawdownState
from core.risk.protections.stop_loss_guard import StopLossGuard, StopLossGuardState
from core.risk.protections.terms import ProtectionsSettings, ProtectionTerms
from core.risk.protections.trades import ClosedTrade


@dataclass(slots=True)
class BookState:
    stop_loss_guard: StopLossGuardState = field(default_factory=StopLossGuardState)
    cooldown: CooldownState = field(default_factory=CooldownState)
    low_profit: LowProfitState = field(default_factory=LowProfitState)
    loss_streak: LossStreakState = field(default_factory=LossStreakState)
    max_drawdown: MaxDrawdownState = field(default_factory=MaxDrawdownState)
    day_trades: DayTradesState = field(default_factory=DayTradesState)
    latches: LatchesState = field(default_factory=LatchesState)


NAMES = (MaxDrawdown.name, StopLossGuard.name, Cooldown.name, LowProfit.name, LossStreak.name, DayTrades.name)
"""In the order in which tickets and panes list them."""


class ProtectionBook:
    """Every protection that counts closed trades.

    Parameters
    ----------
    settings
        Read at each trade: what was counted under other terms stays counted.
    next_day
        The business day after a day.
    """

    def __init__(
        self, settings: Callable[[], ProtectionsSettings], next_day: Callable[[date], date] = weekday_after
    ) -> None:
        self.settings = settings
        self.max_drawdown = MaxDrawdown(lambda: settings().max_drawdown)
        self.stop_loss_guard = StopLossGuard(lambda: settings().stop_loss_guard)
        self.cooldown = Cooldown(lambda: settings().cooldown)
        self.low_profit = LowProfit(lambda: settings().low_profit)
        self.loss_streak = LossStreak(lambda: settings().loss_streak)
        self.day_trades = DayTrades(lambda: settings().day_trades, next_day)
        self.all: tuple[TradeProtection, ...] = (
            self.max_drawdown,
            self.stop_loss_guard,
            self.cooldown,
            self.low_profit,
            self.loss_streak,
            self.day_trades,
        )
        self.latches = Latches()
        self.folds = {DayStarted: self._day_started, **self.latches.folds}
        self.by_name = {protection.name: protection for protection in self.all}

    @property
    def state(self) -> BookState:
        return BookState(
            self.stop_loss_guard.state,
            self.cooldown.state,
            self.low_profit.state,
            self.loss_streak.state,
            self.max_drawdown.state,
            self.day_trades.state,
            self.latches.state,
        )

    def restore(self, state: BookState) -> None:
        self.stop_loss_guard.state = state.stop_loss_guard
        self.cooldown.state = state.cooldown
        self.low_profit.state = state.low_profit
        self.loss_streak.state = state.loss_streak
        self.max_drawdown.state = state.max_drawdown
        self.day_trades.state = state.day_trades
        self.latches.state = state.latches

    def is_on(self, protection: TradeProtection) -> bool:
        terms: ProtectionTerms = getattr(self.settings(), protection.name)
        return terms.enabled

    def take(self, trade: ClosedTrade) -> None:
        for protection in self.all:
            protection.take(trade)

    def _day_started(self, at: datetime, fact: DayStarted) -> None:
        self.begin_day(at, fact.equity)

    def begin_day(self, at: datetime, equity: Money) -> None:
        self.max_drawdown.begin_day(at, equity)
        for protection in self.all:
            protection.locks.forget_before(at)
        self.day_trades.begin_day(at, equity)

    def locks_on(self, name: str, entry: Scope, at: datetime) -> tuple[Lock, ...]:
        """Why a protection shuts an entry out; nothing where it is off."""
        protection = self.by_name[name]
        if not protection.locks.by_scope or not self.is_on(protection):
            return ()
        return tuple(
            lock
            for lock in protection.locks.holding(at)
            if lock.scope.covers(entry) and not self.latches.passes(name, str(lock.scope), lock.tripped_at, at)
        )

    def answers(self, at: datetime) -> Iterator[Answer]:
        for protection in self.all:
            if self.is_on(protection):
                yield from protection.answers(at)
