"""Shows every complete bar to every active strategy, keeps their memories, and counts why they did nothing (ST-03).

Folding a bar runs the strategies; what they answer is kept for the handler of that bar and ignored in a rebuild.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from core.facts import (
    BarClosed,
    EngineStarted,
    Fact,
    HistoryTaken,
    SettingsApplied,
    SignalsOpposed,
    StrategyFailed,
    StrategyForgot,
    StrategyFound,
    StrategyMissing,
    StrategyPaused,
    StrategyResumed,
)
from core.model.bar import Bar
from core.model.evaluation import ShutCause
from core.model.hours import in_new_york
from core.model.recommendation import Recommendation
from core.model.session import Calendar, NoSession, Session
from core.model.signal import EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import ZERO, Money, Price, Quantity, Symbol
from core.risk.evaluation.book import Shut
from core.risk.scaling.contract import Conditions
from core.settings import Settings
from core.strategies.answers import WARMING_UP, leaving, not_now, shut
from core.strategies.base import Context, Strategy
from core.strategies.boundary import fault_in
from core.strategies.house import HOUSE, OF_THE_HOUSE, Kinds, written_memory
from core.strategies.memory import OrchestratorState, RunnerState, fault_in_words
from core.strategies.own import RESERVED, MissingStrategy, OwnRunning, RaisedError, started
from core.strategies.patience import PATIENCE, OverdueError
from core.strategies.vwap import VwapStrategy
from core.strategies.warming import bars_needed, has_missed_bars, keep_plan, shown

NEW_YORK = ZoneInfo("America/New_York")
ENOUGH_FOR_AN_ANOMALY = 30
"""Bars of a session that must all have given one reason before it is flagged."""
CHOSEN = frozenset({NoTradeReason.DISABLED, NoTradeReason.PAUSED})
"""Reasons that a person or the night chose, and that are shown as such: a session of them is no anomaly."""
RAISED = "RAISED"
"""Counted beside the reasons for not trading: the strategy failed on the bar."""
MALFORMED = "MALFORMED"
"""Counted beside the reasons: a signal that is not well formed."""
RESTS = "RESTS"
"""Said of one that was too slow and is shown no bar until the operator resumes it."""


PATIENCE_MS = Decimal(round(PATIENCE * 1000))


class Holdings(Protocol):
    """What the orchestrator asks of the books and the stage. It never sees either."""

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]: ...
    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None: ...
    def covered(self, symbol: Symbol, strategy: str) -> Quantity: ...
    def entries_filled(self, strategy: str, day: date) -> int: ...
    def entries_allowed(self, day: date) -> int: ...
    def is_waiting(self, symbol: Symbol, strategy: str) -> bool: ...
    def queued(self) -> int: ...
    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None: ...
    def shut(self, strategy: str, at: datetime) -> Shut | None: ...
    def opening_equity(self, day: date) -> Decimal | None: ...
    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions: ...
    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal: ...


@dataclass(slots=True)
class Runner:
    """One strategy on one symbol, as it runs.

    `day` is the one on which its last bar was heard: a whole day's bar is heard on the next, and that one's equity,
    entries and losses count for what it says.
    """

    strategy: Strategy
    symbol: Symbol
    state: RunnerState
    context: Context
    until: datetime
    daily_limit: Decimal | None = None
    shut: Shut | None = None
    day: date = date.min


class Orchestrator:
    """The slice of the strategies.

    Attributes
    ----------
    clock
        Seconds that only go on: what an answer takes is measured by it. None where nobody measures (ST-07).
    failed
        Who raised on the last bar, or was too slow for it, for the handler of that bar.
    forgot
        Whose memory did not fit, and why, until it is told.
    silent
        Who said nothing of the last bar: it failed, rests, or is missing.
    """

    def __init__(self, calendar: Calendar, holdings: Holdings, kinds: Kinds = OF_THE_HOUSE) -> None:
        self.calendar = calendar
        self.holdings = holdings
        self.kinds = kinds
        self.clock: Callable[[], float] | None = None
        self.failed: list[StrategyFailed] = []
        self.silent: set[str] = set()
        self.forgot: dict[tuple[str, Symbol], str] = {}
        self.state = OrchestratorState()
        self.settings = Settings()
        self.runners: dict[Symbol, list[Runner]] = {}
        self.answers: list[EntrySignal | ExitSignal] = []
        self.is_dirty = True
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            HistoryTaken: self._history_taken,
            EngineStarted: self._engine_started,
            SettingsApplied: self._applied,
            StrategyPaused: self._paused,
            StrategyResumed: self._resumed,
            StrategyFailed: self._has_failed,
            SignalsOpposed: self._opposed,
            StrategyMissing: self._is_missing,
            StrategyFound: self._is_found,
            StrategyForgot: self._has_forgotten,
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
        for runner in self.runners.get(symbol, ()):
            if runner.strategy.name == strategy:
                return runner
        return None

    def runners_of(self, strategy: str) -> tuple[Runner, ...]:
        """That strategy on every symbol where it runs."""
        return tuple(r for runners in self.runners.values() for r in runners if r.strategy.name == strategy)

    # ── history ──────────────────────────────────────────────────────────────────────────────────────────────────

    def wanting_history(self) -> tuple[Symbol, ...]:
        """Symbols on which a strategy lacks bars of the past."""
        return tuple(s for s, runners in self.runners.items() if any(r.state.wants_history for r in runners))

    def history_wanted(self, symbol: Symbol) -> int:
        """Bars that make every strategy on the symbol whole."""
        return max((bars_needed(r.strategy) for r in self.runners[symbol] if r.state.wants_history), default=0)

    def _engine_started(self, at: datetime, _fact: EngineStarted) -> None:
        """Sessions passed while no desk ran: windows that have a hole in them begin anew."""
        if self.state.heard is None or not has_missed_bars(self.calendar, self.state.heard, at):
            return
        for runner in (r for runners in self.runners.values() for r in runners if bars_needed(r.strategy)):
            self._begin_anew(runner)

    def _begin_anew(self, runner: Runner) -> None:
        name, before = runner.strategy.name, runner.strategy.state
        runner.strategy = self._strategy(name, None)
        keep_plan(runner.strategy, before)
        runner.state.memory = runner.strategy.state
        runner.state.wants_history, runner.state.seen = True, 0

    def _history_taken(self, _at: datetime, fact: HistoryTaken) -> None:
        """From the first bar on, and what is said on the way is not heard: a bar of the past proposes nothing."""
        for runner in self.runners.get(fact.symbol, ()):
            if not runner.state.wants_history:
                continue
            self._begin_anew(runner)
            try:
                runner.state.seen = shown(runner.strategy, fact.bars, self.calendar)
            except Exception as error:  # it goes on as one that begins now (ST-07)
                self._begin_anew(runner)
                runner.state.last_answer = f"{RAISED} {_in_words(error)}"
            runner.state.memory = runner.strategy.state
            runner.state.wants_history = False

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _applied(self, _at: datetime, fact: SettingsApplied) -> None:
        self._build(fact.settings)

    def _paused(self, at: datetime, fact: StrategyPaused) -> None:
        state = self._memory_of(fact.strategy, fact.symbol)
        state.paused_at, state.paused_because, state.rests = at, fact.reason, fact.rests
        self.is_dirty = True

    def _resumed(self, _at: datetime, fact: StrategyResumed) -> None:
        """One that rested has missed bars: it begins anew."""
        state = self._memory_of(fact.strategy, fact.symbol)
        runner = self.runner(fact.strategy, fact.symbol)
        if state.rests and runner is not None:
            runner.strategy = self._strategy(fact.strategy, None)
            self._begins(runner.strategy, fact.symbol, state)
            state.memory = runner.strategy.state
        state.paused_at, state.paused_because, state.rests = None, "", False
        state.faults, state.fault = 0, ""
        self.is_dirty = True

    def _has_failed(self, _at: datetime, fact: StrategyFailed) -> None:
        state = self._memory_of(fact.strategy, fact.symbol)
        state.faults, state.has_answered, state.fault = state.faults + 1, False, fault_in_words(fact)

    def _opposed(self, at: datetime, fact: SignalsOpposed) -> None:
        for seller in fact.sellers:
            if seller not in fact.leaving:
                self._memory_of(seller, fact.symbol).held_back_at = at

    def _is_missing(self, _at: datetime, fact: StrategyMissing) -> None:
        self.state.missing[fact.strategy] = fact.reason

    def _is_found(self, _at: datetime, fact: StrategyFound) -> None:
        self.state.missing.pop(fact.strategy, None)

    def _has_forgotten(self, at: datetime, fact: StrategyForgot) -> None:
        state = self._memory_of(fact.strategy, fact.symbol)
        state.forgot, state.forgot_on = fact.reason, self.calendar.trading_day(at)

    def _memory_of(self, strategy: str, symbol: Symbol) -> RunnerState:
        return self.state.runners.setdefault(f"{strategy}/{symbol}", RunnerState())

    def _build(self, settings: Settings) -> None:
        self.settings = settings
        self.runners = {}
        for name in self._names():
            for text in settings.strategies.of(name).symbols or settings.symbols:
                if self._runs(name, Symbol(text)):
                    self.runners.setdefault(Symbol(text), []).append(self._made(name, Symbol(text)))
        self.is_dirty = True

    def _names(self) -> tuple[str, ...]:
        """The house's, then the user's by name: those that load, have a table, or ran once.

        What a person typed has no strategy, and is remembered beside them.
        """
        ran = {key.partition("/")[0] for key in self.state.runners}
        own = {*self.kinds.known, *self.settings.strategies.own, *ran} - RESERVED
        return (*HOUSE, *sorted(own))

    def _runs(self, name: str, symbol: Symbol) -> bool:
        """VWAP always; another from the day it was first turned on, so that one turned off still leaves (ST-09).

        One of the user's that is off and no longer loads only while it holds something, or may yet.
        """
        if name == VwapStrategy.name or self.settings.strategies.of(name).enabled:
            return True
        if f"{name}/{symbol}" not in self.state.runners:
            return False
        is_busy = bool(self.holdings.held(symbol, name)[0]) or self.holdings.is_waiting(symbol, name)
        return is_busy or name in self.kinds.known

    def _made(self, name: str, symbol: Symbol) -> Runner:
        state = self._memory_of(name, symbol)
        strategy = self._strategy(name, state.memory)
        if isinstance(strategy, OwnRunning) and strategy.forgot:
            self.forgot[name, symbol] = strategy.forgot
        if not _goes_on(strategy, state.memory):
            self._begins(strategy, symbol, state)
        state.memory = strategy.state
        nowhere = datetime.min.replace(tzinfo=NEW_YORK)
        context = Context(Session(date.min, nowhere, nowhere), nowhere, nowhere, nowhere, 0)
        runner = Runner(strategy, symbol, state, context, nowhere)
        context.conditions = partial(self._conditions, runner)
        return runner

    def _strategy(self, name: str, memory: object) -> Strategy:
        return started(self.kinds, name, self.settings.strategies.of(name), memory)

    def missing(self) -> dict[str, str]:
        """Which of the user's strategies do not load, and why: those that have a table, and every broken file."""
        runners = (runner for runners in self.runners.values() for runner in runners)
        made = {r.strategy.name: r.strategy.reason for r in runners if isinstance(r.strategy, MissingStrategy)}
        return {**self.kinds.faults, **made}

    def _conditions(self, runner: Runner) -> Conditions:
        return self.holdings.conditions(runner.symbol, runner.strategy.name, runner.day, self.state.marks)

    def _bar_closed(self, at: datetime, fact: BarClosed) -> None:
        bar = fact.bar
        self.state.marks[bar.symbol] = bar.close
        if self.failed or self.silent:
            self.failed, self.silent = [], set()
        self.state.heard = bar.start
        day = self.calendar.trading_day(at)
        for runner in self.runners.get(bar.symbol, ()):
            state, context = runner.state, runner.context
            if bar.start >= runner.until or runner.day != day:
                self._enter_session(runner, bar, at)
            if self.is_dirty:
                self._refresh_all()
            if state.wants_history:
                self._count_towards_whole(runner)
            if context.held:
                self._disable_after_loss(runner)
            if state.rests and not context.held:
                self._rest(runner)
            elif self.clock is None:
                self._show(runner, bar)
            else:
                self._show_and_measure(runner, bar, self.clock)

    def _show_and_measure(self, runner: Runner, bar: Bar, clock: Callable[[], float]) -> None:
        began = clock()
        has_answered = self._show(runner, bar)
        took = Decimal(round((clock() - began) * 1000))
        if has_answered and took > self.settings.strategies.slow_milliseconds:
            self._note(runner, bar, milliseconds=took, limit=self.settings.strategies.slow_milliseconds)

    def _show(self, runner: Runner, bar: Bar) -> bool:
        """Whether it answered."""
        state = runner.state
        if state.faults:
            self._settle(state)
        try:
            answer = runner.strategy.on_bar(bar, runner.context)
        except Exception as error:  # skipped for this bar and shown; the others go on (ST-07)
            self._count(runner, RAISED if state.paused_at is None else NoTradeReason.PAUSED)
            state.last_answer = f"{RAISED} {_in_words(error)}"
            self.silent.add(runner.strategy.name)
            self._note(runner, bar, **self._how_it_failed(error))
            self._leave_by_the_close(runner, bar)
            state.memory = runner.strategy.state
            return False
        state.memory = runner.strategy.state
        if isinstance(answer, NoTrade):
            self._count(runner, answer.reason)
            state.last_answer = answer.reason
            if runner.strategy.name not in HOUSE:
                self._mind_own(runner, bar)
        else:
            self._keep(runner, answer, bar)
        return True

    def _how_it_failed(self, error: Exception) -> dict[str, Any]:
        """One that was broken off was too slow."""
        if isinstance(error, OverdueError):
            return {"milliseconds": PATIENCE_MS, "limit": self.settings.strategies.slow_milliseconds}
        return {"reason": _in_words(error)}

    def _settle(self, state: RunnerState) -> None:
        """A bar that it answered ends the row of those on which it failed."""
        if state.has_answered:
            state.faults, state.fault = 0, ""
        state.has_answered = True

    def _note(self, runner: Runner, bar: Bar, **how: Any) -> None:
        """Told of one that runs; of one that is paused it was told."""
        if runner.state.paused_at is None:
            self.failed.append(StrategyFailed(runner.strategy.name, runner.symbol, bar.start, **how))

    def _rest(self, runner: Runner) -> None:
        self.silent.add(runner.strategy.name)
        self._count(runner, RESTS)
        runner.state.last_answer = RESTS

    def _leave_by_the_close(self, runner: Runner, bar: Bar) -> None:
        """What a strategy holds that says nothing must be flat by the close all the same (ST-09)."""
        context = runner.context
        if context.held > ZERO and bar.start >= context.flat_from:
            why = f"flat from the bar of {in_new_york(context.flat_from)}, and {runner.strategy.name} does not say so"
            left = leaving(runner.strategy.name, bar, context.held, (ExitReason.FORCE_FLAT, why), None)
            self.answers.append(left)

    def _keep(self, runner: Runner, answer: EntrySignal | ExitSignal, bar: Bar) -> None:
        fault = fault_in(answer, runner.strategy.name, bar, runner.context.held)
        if fault is not None:  # it never becomes a proposal (EX-11)
            self._count(runner, MALFORMED)
            runner.state.last_answer = f"{MALFORMED} {fault}"
            self._leave_by_the_close(runner, bar)
            return
        if isinstance(answer, EntrySignal) and (refusal := self._refusal(runner, bar)):
            self._count(runner, refusal.reason)
            runner.state.last_answer = refusal.reason
            self._leave_by_the_close(runner, bar)
            return
        runner.state.last_answer = "SIGNAL"
        runner.state.session_reasons["SIGNAL"] += 1
        self.answers.append(answer)

    def _mind_own(self, runner: Runner, bar: Bar) -> None:
        """A strategy of the user's may forget the close, or be gone: the desk does not."""
        if isinstance(runner.strategy, MissingStrategy):
            self.silent.add(runner.strategy.name)
        self._leave_by_the_close(runner, bar)

    def _refusal(self, runner: Runner, bar: Bar) -> NoTrade | None:
        """Why an entry goes no further, whatever its strategy thinks: one a strategy and symbol, and never a flood.

        None passes of one that measures the whole session, and began in the middle of it.
        """
        began_late = runner.state.wants_history and not bars_needed(runner.strategy)
        refusal = shut(runner.context, is_enabled=True) or not_now(bar, runner.context)
        return refusal or (WARMING_UP if began_late else None)

    def _begins(self, strategy: Strategy, symbol: Symbol, state: RunnerState) -> None:
        """A memory that is new: of the old one what its own trades told it stays."""
        keep_plan(strategy, state.memory)
        state.seen = 0
        state.wants_history = bars_needed(strategy) > 0 or symbol in self.state.marks

    def _count_towards_whole(self, runner: Runner) -> None:
        """As many bars in a row as it needs make it whole without a history; what begins with each session waits."""
        runner.state.seen += 1
        needed = bars_needed(runner.strategy)
        runner.state.wants_history = not needed or runner.state.seen < needed

    def _count(self, runner: Runner, reason: str) -> None:
        state = runner.state
        state.reasons[reason] += 1
        state.session_reasons[reason] += 1

    def _enter_session(self, runner: Runner, bar: Bar, at: datetime) -> None:
        session = self.calendar.session_at(bar.start)
        if isinstance(session, NoSession):
            raise TypeError(f"bar {bar.start} of {bar.symbol} is outside of every session: {session.reason}")
        if runner.state.session != session.day:
            is_next = runner.state.session is not None and not bars_needed(runner.strategy)
            runner.state.wants_history = runner.state.wants_history and not is_next
            runner.state.session = session.day
            if runner.state.forgot_on is not None and session.day > runner.state.forgot_on:
                runner.state.forgot, runner.state.forgot_on = "", None
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
        is_chosen = set(reasons) <= CHOSEN
        if len(reasons) == 1 and reasons.total() >= ENOUGH_FOR_AN_ANOMALY and not is_chosen:
            runner.state.anomaly = (
                f"{next(iter(reasons))} for all {reasons.total()} bars of the session before {at:%d %B}"
            )
        runner.state.session_reasons = Counter()

    def _refresh_all(self) -> None:
        is_broker_behind = self.holdings.queued() > self.settings.execution.max_queued
        for runners in self.runners.values():
            for runner in runners:
                self._refresh(runner)
                runner.context.is_broker_behind = is_broker_behind
        self.is_dirty = False

    def _refresh(self, runner: Runner) -> None:
        context, name, symbol, day = runner.context, runner.strategy.name, runner.symbol, runner.day
        context.held, context.entry_price = self.holdings.held(symbol, name)
        context.entered_at = self.holdings.entered_at(symbol, name)
        context.covered = self.holdings.covered(symbol, name)
        context.entries_filled = self.holdings.entries_filled(name, day)
        context.entries_allowed = self.holdings.entries_allowed(day)
        context.is_waiting = self.holdings.is_waiting(symbol, name)
        context.recommendation = self.holdings.recommendation(symbol, name)
        runner.shut = shut = self.holdings.shut(name, context.session.open)
        is_rested = shut is not None and shut.cause is not ShutCause.RETIRED
        context.is_paused = runner.state.paused_at is not None or is_rested
        is_open = shut is None and not context.is_paused
        context.is_enabled = self.settings.strategies.of(name).enabled and is_open
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


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, RaisedError) else f"{type(error).__name__}: {error}"


def _goes_on(strategy: Strategy, memory: object) -> bool:
    """Whether it took up that very memory, or a plain one as its own type."""
    if strategy.state is memory:
        return True
    return isinstance(memory, dict) and written_memory(strategy.state, as_json=True) == memory


def at_new_york(day: date, clock: time) -> datetime:
    """A time of day in New York as UTC, daylight saving included."""
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def _money(amount: Decimal | None) -> Money | None:
    return None if amount is None else Money(amount)
