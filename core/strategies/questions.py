"""Run strategies: build, warm up, ask on a bar, restart, and bring up to date after a start (ST-01, ST-07).

A memory is complete when it has seen as many consecutive bars as its windows are long, or every past bar that exists.
An incomplete one starts fresh: it answers WARMING_UP until it is complete, by history or by new bars.
Nothing here is a fold. Live answers are used; answers to the journal's bars at a start are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.facts import StrategyFailed
from core.market.calendar import CalendarRangeError
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import Calendar, Session, Venue
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import ZERO, Symbol
from core.ports import Recorded
from core.settings.settings import Settings
from core.strategies.base import TIMEOUT, WARMING_UP, Context, OverdueError, Strategy, leaving, not_now, shut
from core.strategies.builtin import (
    HOUSE,
    MissingStrategy,
    StrategyKinds,
    UserStrategyRunning,
    error_in_words,
    started,
    written_memory,
)
from core.strategies.memory import SIGNAL
from core.strategies.runner import (
    Anew,
    Begins,
    CountedReasons,
    Hole,
    Made,
    PastBars,
    Runner,
    ShownBar,
    Step,
    ToldSignal,
)
from core.strategies.sma import SmaState
from core.strategies.trade_plan import TradePlan, TradePlanState, fault_in


def bars_needed(strategy: Strategy) -> int:
    """Return how many consecutive bars it needs; zero for one that starts fresh with each session."""
    return int(getattr(strategy, "bars_needed", 0))


def shown(strategy: Strategy, bars: Iterable[Bar], calendar: Calendar) -> int:
    """Show it past bars with a context without entries or position; return how many it saw."""
    if isinstance(strategy, UserStrategyRunning):
        return strategy.shown(_in_sessions(bars, calendar))
    seen = 0
    for bar, context in _in_sessions(bars, calendar):
        strategy.on_bar(bar, context)
        seen += 1
    return seen


def keep_plan(strategy: Strategy, before: Any) -> None:
    """Copy the plan of its trades into a new memory, because bars cannot restore it."""
    if isinstance(strategy.state, TradePlanState) and isinstance(before, TradePlanState):
        strategy.state.plan = before.plan
    if isinstance(strategy.state, SmaState) and isinstance(before, SmaState):
        strategy.state.entered_on = before.entered_on


def keep_said(strategy: Strategy, said: EntrySignal | ExitSignal) -> None:
    """Restore the recorded plan of its signalled entry, whatever it would answer to that bar today."""
    if isinstance(said, EntrySignal) and isinstance(strategy.state, TradePlanState):
        strategy.state.plan = TradePlan(said.stop_price, said.target_price, said.reference)


def first_minute(calendar: Calendar, at: datetime) -> datetime:
    """Return the first minute that a desk receives if it starts now: the day's open once it has passed, or
    this minute.
    """
    session = calendar.session_on(calendar.trading_day(at))
    is_on = isinstance(session, Session) and session.open <= at
    return session.open if is_on and isinstance(session, Session) else at.replace(second=0, microsecond=0)


def has_missed_bars(calendar: Calendar, heard: datetime, at: datetime) -> bool:
    """Return whether session minutes lie between the last received bar and those that a start now receives.

    True if the calendar does not reach back to that bar.
    """
    try:
        begin, missed_from = first_minute(calendar, at), heard + ONE_MINUTE
        if begin <= missed_from:
            return False
        session = calendar.session_on(calendar.trading_day(heard))
        if not isinstance(session, Session) or missed_from >= session.close:
            session = calendar.next_session(missed_from - timedelta(microseconds=1))
        return max(missed_from, session.open) < begin
    except CalendarRangeError:
        return True


def _in_sessions(bars: Iterable[Bar], calendar: Calendar) -> Iterator[tuple[Bar, Context]]:
    for bar in bars:
        session = calendar.session_at(bar.start)
        if isinstance(session, Session):
            yield bar, _quiet(session, calendar.venue)


def _quiet(session: Session, venue: Venue) -> Context:
    whole = session.open, session.close
    return Context(session, (whole,), session.close, 0, venue, is_enabled=False, min_notional=ZERO)


class StrategyFactory:
    """Builds and restarts strategies.

    Attributes
    ----------
    forgot
        Strategies whose memory did not fit, with the reason, until it is reported.
    """

    def __init__(self, calendar: Calendar, kinds: StrategyKinds) -> None:
        self.calendar = calendar
        self.kinds = kinds
        self.forgot: dict[tuple[str, Symbol], str] = {}

    def tell(self, runner: Runner, step: Step) -> None:
        """Apply an event other than a bar."""
        match step:
            case Made():
                self._make(runner, step)
            case Anew():
                self._anew(runner, is_late=step.is_late)
            case Hole() if step.is_forgotten or bars_needed(runner.strategy):
                self._anew(runner, is_late=True)
            case PastBars():
                # Replay past bars from the first one on and ignore the answers: a past bar proposes nothing.
                if not runner.memory.wants_history:
                    return
                self._anew(runner, is_late=True)
                try:
                    runner.memory.seen = shown(runner.strategy, step.bars, self.calendar)
                except Exception as error:  # it continues like one that starts now (ST-07)
                    self._anew(runner, is_late=True)
                    runner.memory.last_answer = f"RAISED {error_in_words(error)}"
                runner.memory.state = runner.strategy.state
                runner.memory.wants_history = False
            case CountedReasons():
                runner.memory.reasons.clear()
            case ToldSignal():
                self._anew(runner, is_late=step.is_late)
                self.forgot.pop((runner.name, runner.symbol), None)

    def give_up(self, runner: Runner, why: str) -> None:
        """Restart a strategy that could not be brought up to date."""
        self._anew(runner, is_late=True)
        self.forgot[runner.name, runner.symbol] = why

    def _make(self, runner: Runner, step: Made) -> None:
        runner.terms = step.terms
        before = runner.memory.state
        strategy = started(self.kinds, runner.name, step.terms, before)
        if isinstance(strategy, UserStrategyRunning) and strategy.forgot:
            self.forgot[runner.name, runner.symbol] = strategy.forgot
        if _goes_on(strategy, before):
            _takes_the_place(runner, strategy)
        else:
            self._begin(runner, strategy, is_late=step.is_late)

    def _anew(self, runner: Runner, *, is_late: bool) -> None:
        strategy = started(self.kinds, runner.name, runner.terms, None)
        if isinstance(strategy, MissingStrategy):  # its memory stays for when its file is back
            strategy.state = runner.memory.state
        self._begin(runner, strategy, is_late=is_late)

    def _begin(self, runner: Runner, strategy: Strategy, *, is_late: bool) -> None:
        """Start with a new memory; the plan of its trades is kept."""
        keep_plan(strategy, runner.memory.state)
        runner.memory.seen = 0
        runner.memory.wants_history = bars_needed(strategy) > 0 or is_late
        _takes_the_place(runner, strategy)


def _takes_the_place(runner: Runner, strategy: Strategy) -> None:
    runner.strategy = strategy
    runner.memory.state = strategy.state


def _goes_on(strategy: Strategy, memory: object) -> bool:
    """Return whether it took over that memory, or a plain one converted to its own type."""
    if strategy.state is memory:
        return True
    return isinstance(memory, dict) and written_memory(strategy.state, as_json=True) == memory


RAISED = "RAISED"
"""Counted beside the reasons for not trading: the strategy failed on the bar."""
MALFORMED = "MALFORMED"
"""Counted beside the reasons: a malformed signal."""
RESTS = "RESTS"
"""Answer of a strategy that was too slow and receives no bar until the operator resumes it."""
TIMEOUT_MS = Decimal(round(TIMEOUT * 1000))
NOT_IN_TIME = "the bars since then could not be shown to it in time"

Missed = Mapping[tuple[str, Symbol, datetime], StrategyFailed]
"""By strategy, symbol and start of the bar: recorded time-outs."""


def missed_in(records: Iterable[Recorded]) -> Missed:
    """Collect the recorded time-outs."""
    failed = (record.fact for record in records if isinstance(record.fact, StrategyFailed))
    return {(f.strategy, f.symbol, f.bar_start): f for f in failed if f.milliseconds is not None}


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to a bar: at most a signal and a failure; `is_overdue` if there was no answer."""

    signal: EntrySignal | ExitSignal | None = None
    failure: StrategyFailed | None = None
    is_overdue: bool = False


NOTHING = Said()


def asked(strategy: Strategy, bar: Bar, context: Context) -> Answer:
    """Ask a strategy; the only place that does.

    Raises its exceptions, and `OverdueError` without an answer in time: then it has not seen the bar.
    """
    return strategy.on_bar(bar, context)


class StrategyQuestions:
    """Asks strategies and performs their queued steps.

    Attributes
    ----------
    clock
        Monotonic clock in seconds that measures answers. None measures nothing (ST-07).
    missed
        Recorded time-outs, if known beforehand: then nothing is measured (MD-05).
    silent
        Strategies without an answer to the last bar: failed, resting, or missing.
    """

    def __init__(self, calendar: Calendar, kinds: StrategyKinds) -> None:
        self.making = StrategyFactory(calendar, kinds)
        self.settings = Settings()
        self.clock: Callable[[], float] | None = None
        self.missed: Missed | None = None
        self.silent: set[str] = set()

    def measure(self, clock: Callable[[], float] | None) -> None:
        self.clock = clock

    def knows_who_missed(self, missed: Missed) -> None:
        self.missed = missed

    # ── one bar ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, runner: Runner, bar: Bar) -> Said:
        """Return its answer to a bar, now."""
        if runner.begins is not None or runner.memory.wants_history:
            begins, runner.begins = runner.begins, None
            self._take_note(runner, begins)
        if runner.state.rests and not runner.context.held:
            return self._rest(runner)
        if self.missed is not None:
            failure = self.missed.get((runner.name, runner.symbol, bar.start))
            is_paused = runner.state.paused_at is not None
            if failure is not None and failure.is_broken_off:
                return self._fail(runner, bar, runner.context, OverdueError(), is_paused=is_paused)
            said = self._show(runner, bar, runner.context, is_paused=is_paused)
            return said if failure is None or said.failure is not None else Said(said.signal, failure)
        if self.clock is None:
            return self._show(runner, bar, runner.context, is_paused=runner.state.paused_at is not None)
        return self._ask_and_measure(runner, bar, self.clock)

    def _ask_and_measure(self, runner: Runner, bar: Bar, clock: Callable[[], float]) -> Said:
        is_paused, began = runner.state.paused_at is not None, clock()
        said = self._show(runner, bar, runner.context, is_paused=is_paused)
        took, limit = Decimal(round((clock() - began) * 1000)), self.settings.strategies.slow_milliseconds
        if took <= limit or is_paused or said.failure is not None:
            return said
        return Said(said.signal, StrategyFailed(runner.name, runner.symbol, bar.start, "", took, limit))

    def _show(self, runner: Runner, bar: Bar, context: Context, *, is_paused: bool) -> Said:
        memory = runner.memory
        try:
            answer = asked(runner.strategy, bar, context)
        except Exception as error:  # skipped for this bar and shown; the others continue (ST-07)
            return self._fail(runner, bar, context, error, is_paused=is_paused)
        memory.state = runner.strategy.state
        if not isinstance(answer, NoTrade):
            return self._keep(runner, answer, bar, context)
        memory.count(answer.reason)
        memory.last_answer = answer.reason
        return NOTHING if runner.name in HOUSE else self._mind_own(runner, bar, context)

    def _fail(self, runner: Runner, bar: Bar, context: Context, error: Exception, *, is_paused: bool) -> Said:
        """Record a failure; that of a paused strategy is not reported."""
        is_overdue = isinstance(error, OverdueError)
        if is_overdue and isinstance(runner.strategy, UserStrategyRunning):
            runner.strategy.miss()
        runner.memory.count(NoTradeReason.PAUSED if is_paused else RAISED)
        runner.memory.last_answer = f"{RAISED} {error_in_words(error)}"
        runner.memory.state = runner.strategy.state
        self.silent.add(runner.name)
        failure = None if is_paused else self._failure(runner, bar, error)
        return Said(_flat_by_the_close(runner, bar, context), failure, is_overdue)

    def _failure(self, runner: Runner, bar: Bar, error: Exception) -> StrategyFailed:
        """Build the failure; one that was broken off was too slow."""
        name, symbol, limit = runner.name, runner.symbol, self.settings.strategies.slow_milliseconds
        if isinstance(error, OverdueError):
            return StrategyFailed(name, symbol, bar.start, "", TIMEOUT_MS, limit, is_broken_off=True)
        return StrategyFailed(name, symbol, bar.start, error_in_words(error))

    def _rest(self, runner: Runner) -> Said:
        self.silent.add(runner.name)
        runner.memory.count(RESTS)
        runner.memory.last_answer = RESTS
        return NOTHING

    def _keep(self, runner: Runner, answer: EntrySignal | ExitSignal, bar: Bar, context: Context) -> Said:
        memory = runner.memory
        fault = fault_in(answer, runner.name, bar, context.held)
        if fault is not None:  # it never becomes a proposal (EX-11)
            memory.count(MALFORMED)
            memory.last_answer = f"{MALFORMED} {fault}"
            return Said(_flat_by_the_close(runner, bar, context))
        if isinstance(answer, EntrySignal) and (refusal := _refusal(runner, bar, context)):
            memory.count(refusal.reason)
            memory.last_answer = refusal.reason
            return Said(_flat_by_the_close(runner, bar, context))
        memory.count(SIGNAL)
        memory.last_answer = SIGNAL
        return Said(answer)

    def _mind_own(self, runner: Runner, bar: Bar, context: Context) -> Said:
        """Exit by the close for a user strategy that does not do it itself, or is missing."""
        if isinstance(runner.strategy, MissingStrategy):
            self.silent.add(runner.name)
        signal = _flat_by_the_close(runner, bar, context)
        return NOTHING if signal is None else Said(signal)

    def _take_note(self, runner: Runner, begins: Begins | None) -> None:
        """Start a session; a strategy that started late is complete after as many consecutive bars as it needs.

        A strategy that starts fresh with each session is complete with the next one.
        """
        memory, needed = runner.memory, bars_needed(runner.strategy)
        if begins is not None:
            memory.reasons.clear()
            memory.wants_history = memory.wants_history and (needed > 0 or begins is Begins.FIRST)
        if memory.wants_history:
            memory.seen += 1
            memory.wants_history = not needed or memory.seen < needed

    # ── replay ───────────────────────────────────────────────────────────────────────────────────────────────────

    def perform(self, runner: Runner) -> None:
        """Perform the queued steps. Every answer is ignored.

        A strategy that exceeds its time here restarts, which is reported, so that the start does not wait for each of
        its bars.
        """
        steps, runner.steps = runner.steps, []
        told_last = max((number for number, step in enumerate(steps) if isinstance(step, ToldSignal)), default=0)
        is_late = False
        for number, step in enumerate(steps):
            if not isinstance(step, ShownBar):
                self.making.tell(runner, step)
            elif number >= told_last and not is_late:
                is_late = self._show_again(runner, step)
        if is_late:
            self.making.give_up(runner, NOT_IN_TIME)
        if self.silent:
            self.silent = set()

    def _show_again(self, runner: Runner, step: ShownBar) -> bool:
        """Return whether it had no answer."""
        bar, context = step.bar, step.context
        context.conditions = step.conditions
        if step.begins is not None or runner.memory.wants_history:
            self._take_note(runner, step.begins)
        if step.rests:
            self._rest(runner)
            return False
        if step.is_missed:
            self._fail(runner, bar, context, OverdueError(), is_paused=step.is_paused)
            return False
        said = self._show(runner, bar, context, is_paused=step.is_paused)
        if step.said is not None and step.said != said.signal:
            keep_said(runner.strategy, step.said)
        return said.is_overdue


def _refusal(runner: Runner, bar: Bar, context: Context) -> NoTrade | None:
    """Return why an entry is blocked, whatever its strategy says: one per strategy and symbol, and never a flood.

    An entry of a strategy that measures the whole session is refused if it started in the middle of one.
    """
    began_late = runner.memory.wants_history and not bars_needed(runner.strategy)
    return shut(context, is_enabled=True) or not_now(bar, context) or (WARMING_UP if began_late else None)


def _flat_by_the_close(runner: Runner, bar: Bar, context: Context) -> ExitSignal | None:
    """Exit by the close a position whose strategy does not answer (ST-09)."""
    if context.held <= ZERO or bar.start < context.flat_from:
        return None
    why = f"flat from the bar of {context.venue.told(context.flat_from)}, and {runner.name} does not say so"
    return leaving(runner.name, bar, context.held, (ExitReason.FORCE_FLAT, why), None)
