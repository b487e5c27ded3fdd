"""Fill the strategies' contexts: session, holdings, and limits (ST-03)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from core.model.bar import Bar
from core.model.recommendation import Recommendation
from core.model.session import Calendar, NoSession
from core.model.signal import SuspensionCause
from core.model.values import Money, Price, Quantity, Symbol
from core.risk.evaluation import Suspension
from core.risk.size_factors.base import Conditions
from core.settings.settings import Settings
from core.strategies.runner import Begins, Runner


class HoldingsPort(Protocol):
    """The orchestrator's port to the books and the stage, which it never reads directly."""

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]: ...
    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None: ...
    def covered(self, symbol: Symbol, strategy: str) -> Quantity: ...
    def entries_filled(self, strategy: str, day: date) -> int: ...
    def entries_allowed(self, day: date) -> int: ...
    def is_waiting(self, symbol: Symbol, strategy: str) -> bool: ...
    def queued(self) -> int: ...
    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None: ...
    def shut(self, strategy: str, at: datetime) -> Suspension | None: ...
    def opening_equity(self, day: date) -> Decimal | None: ...
    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions: ...
    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal: ...


class RunnerContexts:
    """Fills the contexts.

    Attributes
    ----------
    settings
        Those in force.
    is_dirty
        A fold may have changed the context of a strategy.
    """

    def __init__(self, calendar: Calendar, holdings: HoldingsPort) -> None:
        self.calendar = calendar
        self.holdings = holdings
        self.settings = Settings()
        self.is_dirty = True

    def enter(self, runner: Runner, bar: Bar, at: datetime) -> None:
        """Start a session for the strategy with this bar: its hours and its window. No other context changes."""
        session, state = self.calendar.session_at(bar.start), runner.state
        if isinstance(session, NoSession):
            raise TypeError(f"bar {bar.start} of {bar.symbol} is outside of every session: {session.reason}")
        if state.session != session.day:
            runner.begins = Begins.FIRST if state.session is None else Begins.NEXT
            state.session = session.day
            if state.forgot_on is not None and session.day > state.forgot_on:
                state.forgot, state.forgot_on = "", None
        risk = self.settings.risk
        runner.until, runner.day = session.close, self.calendar.trading_day(at)
        runner.context.session = session
        runner.context.window_first = self.calendar.venue.at(session.day, risk.window_start)
        runner.context.window_last = self.calendar.venue.at(session.day, risk.window_end)
        minutes = self.settings.flat_minutes(runner.name)
        runner.context.flat_from = session.close - timedelta(minutes=minutes)

    def refresh(self, runners: Iterable[Runner], marks: dict[Symbol, Price]) -> None:
        """Update each context with holdings, permissions and proposals."""
        is_broker_behind = self.holdings.queued() > self.settings.execution.max_queued
        for runner in runners:
            self._refresh(runner, marks)
            runner.context.is_broker_behind = is_broker_behind
        self.is_dirty = False

    def _refresh(self, runner: Runner, marks: dict[Symbol, Price]) -> None:
        context, name, symbol, day = runner.context, runner.name, runner.symbol, runner.day
        runner.told = None
        context.held, context.entry_price = self.holdings.held(symbol, name)
        context.entered_at = self.holdings.entered_at(symbol, name)
        context.covered = self.holdings.covered(symbol, name)
        context.entries_filled = self.holdings.entries_filled(name, day)
        context.entries_allowed = self.holdings.entries_allowed(day)
        context.is_waiting = self.holdings.is_waiting(symbol, name)
        context.recommendation = self.holdings.recommendation(symbol, name)
        runner.shut = shut = self.holdings.shut(name, context.session.open)
        is_rested = shut is not None and shut.cause is not SuspensionCause.RETIRED
        context.is_paused = runner.state.paused_at is not None or is_rested
        is_open = shut is None and not context.is_paused
        context.is_enabled = self.settings.strategies.of(name).enabled and is_open
        equity = self.holdings.opening_equity(day)
        context.risk_per_trade = _money(self.settings.risk.per_trade.of(equity))
        context.max_notional = _money(self.settings.risk.max_notional.of(equity))
        context.min_notional = self.settings.risk.min_notional
        runner.daily_limit = self.settings.risk.daily_loss.of(equity)
        self.disable_after_loss(runner, marks)

    def disable_after_loss(self, runner: Runner, marks: dict[Symbol, Price]) -> None:
        """Disable entries for the day once the loss, open positions marked at their last bar, reached the limit
        (ST-02).
        """
        day, limit = runner.day, runner.daily_limit
        if limit is not None and -self.holdings.result_of(day, marks) >= limit:
            runner.state.disabled_on = day
        is_disabled = runner.state.disabled_on == day
        if runner.context.is_day_disabled != is_disabled:
            runner.context.is_day_disabled, runner.told = is_disabled, None


def _money(amount: Decimal | None) -> Money | None:
    return None if amount is None else Money(amount)
