"""Shows every complete bar to every active strategy, keeps their memories, and counts why they did nothing (ST-03).

Folding a bar runs the strategies; what they answer is kept for the handler of that bar and ignored in a rebuild.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, PlainSerializer

from core.facts import BarClosed, Fact, SettingsApplied, StrategyPaused, StrategyResumed
from core.model.bar import Bar
from core.model.session import Calendar, NoSession, Session
from core.model.signal import Answer, EntrySignal, ExitSignal, NoTrade, NoTradeReason
from core.model.values import Money, Price, Quantity, Symbol
from core.risk.scaling.contract import Conditions
from core.settings import Settings
from core.strategies.base import Context, Strategy
from core.strategies.boundary import fault_in
from core.strategies.house import HOUSE, read_memory, written_memory
from core.strategies.vwap import VwapStrategy

NEW_YORK = ZoneInfo("America/New_York")
ENOUGH_FOR_AN_ANOMALY = 30
"""Bars of a session that must all have given one reason before it is flagged."""
RAISED = "RAISED"
"""Counted beside the reasons for not trading: the strategy failed on the bar."""
MALFORMED = "MALFORMED"
"""Counted beside the reasons: a signal that is not well formed."""


class Holdings(Protocol):
    """What the orchestrator asks of the books and the stage. It never sees either."""

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]: ...
    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None: ...
    def covered(self, symbol: Symbol, strategy: str) -> Quantity: ...
    def entries_filled(self, strategy: str, day: date) -> int: ...
    def entries_allowed(self, day: date) -> int: ...
    def is_waiting(self, symbol: Symbol, strategy: str) -> bool: ...
    def opening_equity(self, day: date) -> Decimal | None: ...
    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions: ...
    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal: ...


Memory = Annotated[Any, PlainSerializer(lambda memory, info: written_memory(memory, as_json=info.mode_is_json()))]
"""The state of a strategy, of that strategy's own type; None before it was first made."""


@dataclass(slots=True)
class RunnerState:
    """One strategy on one symbol: its memory, and its reasons for not trading, in all and in this session.

    `paused_at` is None while the operator lets it open positions.
    """

    memory: Memory = None
    reasons: Counter[str] = field(default_factory=Counter)
    session_reasons: Counter[str] = field(default_factory=Counter)
    last_answer: str = ""
    session: date | None = None
    disabled_on: date | None = None
    anomaly: str = ""
    paused_at: datetime | None = None


def _with_memories(runners: dict[str, RunnerState]) -> dict[str, RunnerState]:
    """Each memory as the type of the strategy that its key names. Raises ValueError where it is none."""
    for key, runner in runners.items():
        runner.memory = read_memory(key.partition("/")[0], runner.memory)
    return runners


@dataclass(slots=True)
class OrchestratorState:
    """`runners` is keyed `strategy/SYMBOL`; `marks` holds the close of each symbol's last bar."""

    runners: Annotated[dict[str, RunnerState], AfterValidator(_with_memories)] = field(default_factory=dict)
    marks: dict[Symbol, Price] = field(default_factory=dict)


@dataclass(slots=True)
class Runner:
    """One strategy on one symbol, as it runs.

    `day` is the one on which its session was heard: a whole day's bar is heard on the next, and that one's equity,
    entries and losses count for what it says.
    """

    strategy: Strategy
    symbol: Symbol
    state: RunnerState
    context: Context
    until: datetime
    daily_limit: Decimal | None = None
    day: date = date.min


class Orchestrator:
    """The slice of the strategies."""

    def __init__(self, calendar: Calendar, holdings: Holdings) -> None:
        self.calendar = calendar
        self.holdings = holdings
        self.state = OrchestratorState()
        self.settings = Settings()
        self.runners: dict[Symbol, list[Runner]] = {}
        self.answers: list[EntrySignal | ExitSignal] = []
        self.is_dirty = True
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            SettingsApplied: self._applied,
            StrategyPaused: self._paused,
            StrategyResumed: self._resumed,
        }

    def restore(self, state: OrchestratorState, settings: Settings) -> None:
        """Take up saved memories."""
        self.state = state
        self._build(settings)

    def after(self, fact: Fact) -> None:
        """Any fact but a bar may have changed what a strategy is told."""
        self.is_dirty = True

    def take_answers(self) -> list[EntrySignal | ExitSignal]:
        answers, self.answers = self.answers, []
        return answers

    def no_trade(self) -> dict[str, int]:
        """How often each reason was given, over all strategies and symbols."""
        total: Counter[str] = Counter()
        for runner in self.state.runners.values():
            total.update(runner.reasons)
        return {str(reason): count for reason, count in sorted(total.items())}

    def runner(self, strategy: str, symbol: Symbol) -> Runner | None:
        """That strategy on that symbol; None where it does not run there."""
        return next((r for r in self.runners.get(symbol, ()) if r.strategy.name == strategy), None)

    def runners_of(self, strategy: str) -> tuple[Runner, ...]:
        """That strategy on every symbol where it runs."""
        return tuple(r for runners in self.runners.values() for r in runners if r.strategy.name == strategy)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _applied(self, _at: datetime, fact: SettingsApplied) -> None:
        self._build(fact.settings)

    def _paused(self, at: datetime, fact: StrategyPaused) -> None:
        self._memory_of(fact.strategy, fact.symbol).paused_at = at
        self.is_dirty = True

    def _resumed(self, _at: datetime, fact: StrategyResumed) -> None:
        self._memory_of(fact.strategy, fact.symbol).paused_at = None
        self.is_dirty = True

    def _memory_of(self, strategy: str, symbol: Symbol) -> RunnerState:
        return self.state.runners.setdefault(f"{strategy}/{symbol}", RunnerState())

    def _build(self, settings: Settings) -> None:
        self.settings = settings
        self.runners = {}
        for name in HOUSE:
            for text in settings.strategies.of(name).symbols or settings.symbols:
                if self._runs(name, Symbol(text)):
                    self.runners.setdefault(Symbol(text), []).append(self._made(name, Symbol(text)))
        self.is_dirty = True

    def _runs(self, name: str, symbol: Symbol) -> bool:
        """VWAP always; another from the day it was first turned on, so that one turned off still leaves (ST-09)."""
        is_on = name == VwapStrategy.name or self.settings.strategies.of(name).enabled
        return is_on or f"{name}/{symbol}" in self.state.runners

    def _made(self, name: str, symbol: Symbol) -> Runner:
        state = self._memory_of(name, symbol)
        strategy = HOUSE[name].make(self.settings.strategies.of(name), state.memory)
        state.memory = strategy.state
        nowhere = datetime.min.replace(tzinfo=NEW_YORK)
        context = Context(Session(date.min, nowhere, nowhere), nowhere, nowhere, nowhere, 0)
        runner = Runner(strategy, symbol, state, context, nowhere)
        context.conditions = partial(self._conditions, runner)
        return runner

    def _conditions(self, runner: Runner) -> Conditions:
        return self.holdings.conditions(runner.symbol, runner.strategy.name, runner.day, self.state.marks)

    def _bar_closed(self, at: datetime, fact: BarClosed) -> None:
        bar = fact.bar
        self.state.marks[bar.symbol] = bar.close
        for runner in self.runners.get(bar.symbol, ()):
            if bar.start >= runner.until:
                self._enter_session(runner, bar, at)
            if self.is_dirty:
                self._refresh_all()
            if runner.context.held:
                self._disable_after_loss(runner)
            try:
                answer = runner.strategy.on_bar(bar, runner.context)
            except Exception as error:  # skipped for this bar and shown; the others go on (ST-07)
                self._count(runner, RAISED)
                runner.state.last_answer = f"{RAISED} {type(error).__name__}: {error}"
                continue
            runner.state.memory = runner.strategy.state
            self._keep(runner, answer, bar)

    def _keep(self, runner: Runner, answer: Answer, bar: Bar) -> None:
        if isinstance(answer, NoTrade):
            self._count(runner, answer.reason)
            runner.state.last_answer = answer.reason
            return
        fault = fault_in(answer, runner.strategy.name, bar, runner.context.held)
        if fault is not None:  # it never becomes a proposal (EX-11)
            self._count(runner, MALFORMED)
            runner.state.last_answer = f"{MALFORMED} {fault}"
            return
        if runner.state.paused_at is not None and isinstance(answer, EntrySignal):
            self._count(runner, NoTradeReason.PAUSED)
            runner.state.last_answer = NoTradeReason.PAUSED
            return
        runner.state.last_answer = "SIGNAL"
        runner.state.session_reasons["SIGNAL"] += 1
        self.answers.append(answer)

    def _count(self, runner: Runner, reason: str) -> None:
        runner.state.reasons[reason] += 1
        runner.state.session_reasons[reason] += 1

    def _enter_session(self, runner: Runner, bar: Bar, at: datetime) -> None:
        session = self.calendar.session_at(bar.start)
        if isinstance(session, NoSession):
            raise TypeError(f"bar {bar.start} of {bar.symbol} is outside of every session: {session.reason}")
        if runner.state.session != session.day:
            runner.state.session = session.day
            self._flag_anomaly(runner, bar.start)
        risk = self.settings.risk
        runner.until, runner.day = session.close, self.calendar.trading_day(at)
        runner.context.session = session
        runner.context.window_first = at_new_york(session.day, risk.window_start)
        runner.context.window_last = at_new_york(session.day, risk.window_end)
        minutes = self.settings.strategies.flat_minutes(runner.strategy.name)
        runner.context.flat_from = session.close - timedelta(minutes=minutes)
        self.is_dirty = True

    def _flag_anomaly(self, runner: Runner, at: datetime) -> None:
        reasons = runner.state.session_reasons
        runner.state.anomaly = ""
        if len(reasons) == 1 and reasons.total() >= ENOUGH_FOR_AN_ANOMALY:
            runner.state.anomaly = (
                f"{next(iter(reasons))} for all {reasons.total()} bars of the session before {at:%d %B}"
            )
        runner.state.session_reasons = Counter()

    def _refresh_all(self) -> None:
        for runners in self.runners.values():
            for runner in runners:
                self._refresh(runner)
        self.is_dirty = False

    def _refresh(self, runner: Runner) -> None:
        context, name, symbol, day = runner.context, runner.strategy.name, runner.symbol, runner.day
        context.held, context.entry_price = self.holdings.held(symbol, name)
        context.entered_at = self.holdings.entered_at(symbol, name)
        context.covered = self.holdings.covered(symbol, name)
        context.entries_filled = self.holdings.entries_filled(name, day)
        context.entries_allowed = self.holdings.entries_allowed(day)
        context.is_waiting = self.holdings.is_waiting(symbol, name)
        context.is_paused = runner.state.paused_at is not None
        context.is_enabled = self.settings.strategies.of(name).enabled and not context.is_paused
        equity = self.holdings.opening_equity(day)
        context.risk_per_trade = _money(self.settings.risk.per_trade.of(equity))
        context.max_notional = _money(self.settings.risk.max_notional.of(equity))
        context.min_notional = self.settings.risk.min_notional
        runner.daily_limit = self.settings.risk.daily_loss.of(equity)
        self._disable_after_loss(runner)

    def _disable_after_loss(self, runner: Runner) -> None:
        """Shut for the day once the loss, open positions marked at their last bar, reached the limit (ST-02)."""
        day, limit = runner.day, runner.daily_limit
        if limit is not None and -self.holdings.result_of(day, self.state.marks) >= limit:
            runner.state.disabled_on = day
        runner.context.is_day_disabled = runner.state.disabled_on == day


def at_new_york(day: date, clock: time) -> datetime:
    """A time of day in New York as UTC, daylight saving included."""
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def _money(amount: Decimal | None) -> Money | None:
    return None if amount is None else Money(amount)
