"""The slice of the strategies: where each runs, its state and its context, and which of opposite signals is kept.

Folding runs no strategy: it keeps the contexts up to date, and queues the bars and events for each (`runner.py`). A
live desk runs the strategies when the bar is folded, and their answers are facts; a start replays the journal's bars to
them after the fold, and ignores the answers. So the code of a strategy never changes the past (ST-03, ST-09).

Opposite signals on one bar: every exit passes, and the entries of that bar in its symbol are dropped (ST-07).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from core import facts
from core.model.bar import Bar
from core.model.session import Calendar, NoSession, Venue
from core.model.signal import EntrySignal, ExitSignal, NoTradeReason
from core.model.values import Symbol
from core.risk.sizing import Conditions
from core.settings.settings import Settings
from core.strategies.builtin import HOUSE, OF_THE_HOUSE, RESERVED, MissingStrategy, StrategyKinds
from core.strategies.memory import SIGNAL, OrchestratorState, RunnerState, StrategyMemory, fault_in_words
from core.strategies.questions import Missed, StrategyQuestions, bars_needed, has_missed_bars
from core.strategies.runner import (
    SHOWN,
    Anew,
    CountedReasons,
    HoldingsPort,
    Hole,
    Made,
    PastBars,
    Runner,
    RunnerContexts,
    ShownBar,
    Step,
    ToldSignal,
    a_runner,
    key_of,
)
from core.strategies.vwap_mean_reversion import VwapStrategy

Signals = list[EntrySignal | ExitSignal]


class Roster:
    """Places strategies on symbols, and selects those that run.

    Attributes
    ----------
    places
        Every strategy that may run, by symbol.
    runners
        Those of them that run, since the last replay.
    left
        Those of earlier settings, which still have queued steps.
    is_built
        The places changed since the runners were selected.
    """

    def __init__(
        self, venue: Venue, kinds: StrategyKinds, holdings: HoldingsPort, conditions: Callable[[Runner], Conditions]
    ) -> None:
        self.kinds = kinds
        self.holdings = holdings
        self.places: dict[Symbol, list[Runner]] = {}
        self.runners: dict[Symbol, list[Runner]] = {}
        self.left: dict[str, Runner] = {}
        self.is_built = False
        self._venue = venue
        self._conditions = conditions
        self._settings = Settings()

    def runner(self, strategy: str, symbol: Symbol) -> Runner | None:
        """Return that strategy on that symbol; None if it does not run there."""
        for runner in self.runners.get(symbol, ()):
            if runner.name == strategy:
                return runner
        return None

    def runners_of(self, strategy: str) -> tuple[Runner, ...]:
        """Return that strategy on every symbol where it runs."""
        return tuple(r for runners in self.runners.values() for r in runners if r.name == strategy)

    def everyone(self) -> Iterator[Runner]:
        """All that run."""
        return (runner for runners in self.runners.values() for runner in runners)

    def everywhere(self) -> Iterator[Runner]:
        """All that may run."""
        return (runner for places in self.places.values() for runner in places)

    def place(self, strategy: str, symbol: Symbol) -> Runner | None:
        """Return that strategy on that symbol, whether it runs or not."""
        return next((runner for runner in self.places.get(symbol, ()) if runner.name == strategy), None)

    def build(self, settings: Settings, state: OrchestratorState, memories: dict[str, StrategyMemory]) -> None:
        """Rebuild the places; each strategy has to be built."""
        self._settings = settings
        self.left |= {runner.key: runner for runner in self.everywhere() if runner.steps}
        self.places = {}
        self.is_built = True
        for name in self._names(state):
            terms = settings.strategies.of(name)
            for text in terms.symbols or settings.symbols:
                symbol = Symbol(text)
                is_on = name == VwapStrategy.name or terms.enabled
                if is_on or key_of(name, symbol) in state.runners:
                    self._placed(name, symbol, state, memories).steps.append(Made(terms, symbol in state.marks))

    def _names(self, state: OrchestratorState) -> tuple[str, ...]:
        """Return built-in strategies, then user strategies by name: those that have a table, or ran once.

        Manual orders have no strategy; `manual` is reserved.
        """
        ran = {key.partition("/")[0] for key in state.runners}
        return (*HOUSE, *sorted({*self._settings.strategies.own, *ran} - RESERVED))

    def _placed(
        self, name: str, symbol: Symbol, state: OrchestratorState, memories: dict[str, StrategyMemory]
    ) -> Runner:
        """Place a new runner with the queued steps of the one before."""
        key = key_of(name, symbol)
        own, memory = state.runners.setdefault(key, RunnerState()), memories.setdefault(key, StrategyMemory())
        runner = a_runner(name, symbol, self._venue, own, memory, self._conditions)
        if (before := self.left.pop(runner.key, None)) is not None:
            runner.steps = before.steps
        self.places.setdefault(symbol, []).append(runner)
        return runner

    def let_run(self) -> None:
        """Select those that may run; drop the others' steps."""
        self.is_built = False
        self.runners = {}
        for runner in self.everywhere():
            if self._runs(runner):
                self.runners.setdefault(runner.symbol, []).append(runner)
            else:
                runner.steps.clear()

    def _runs(self, runner: Runner) -> bool:
        """Return whether it runs.

        A disabled user strategy that no longer loads runs only while it has a position or a waiting entry.
        """
        name, symbol = runner.name, runner.symbol
        if name in self.kinds.known or self._settings.strategies.of(name).enabled:
            return True
        return bool(self.holdings.held(symbol, name)[0]) or self.holdings.is_waiting(symbol, name)


ENOUGH_FOR_AN_ANOMALY = 30
"""Bars of a session that must all have given one reason before it is flagged."""
CHOSEN = frozenset({NoTradeReason.DISABLED, NoTradeReason.PAUSED})
"""Reasons chosen by the operator or the nightly evaluation, and shown as such: a session of them is no anomaly."""


BEGINS_AGAIN = "its symbol was split"


class Orchestrator:
    """The slice of the strategies, and the strategies beside it.

    Attributes
    ----------
    memories
        The memory of each, by `strategy/SYMBOL`: a checkpoint beside the fold.
    is_rebuilding
        A journal is being folded: bars are queued for the end.
    has_steps
        A strategy has queued steps.
    """

    name = "strategies"

    def __init__(
        self,
        calendar: Calendar,
        holdings: HoldingsPort,
        kinds: StrategyKinds = OF_THE_HOUSE,
        in_force: Callable[[], Settings] = Settings,
    ) -> None:
        self.calendar = calendar
        self.holdings = holdings
        self.kinds = kinds
        self.in_force = in_force
        self.showing = StrategyQuestions(calendar, kinds)
        self.state = OrchestratorState()
        self.memories: dict[str, StrategyMemory] = {}
        self.contexts = RunnerContexts(calendar, holdings)
        self.contexts.lost_on = self.state.lost_on
        self.roster = Roster(calendar.venue, kinds, holdings, self._conditions)
        self.is_rebuilding = False
        self.has_steps = False
        self._is_asking = False
        self._unasked: Bar | None = None
        self._asked = 0
        self._entered_on: date | None = None
        """The session of which the first bar was heard: with it all others were counted."""
        self._shows_from = datetime.min.replace(tzinfo=UTC)
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.BarClosed: self._bar_closed,
            facts.SessionsAnnounced: self._announced,
            facts.CorporateActionApplied: self._split,
            facts.SignalRaised: self._signal_raised,
            facts.ReasonsCounted: self._counted,
            facts.HistoryLoaded: self._history_taken,
            facts.EngineStarted: self._engine_started,
            facts.SettingsApplied: self._applied,
            facts.StrategyPaused: self._paused,
            facts.StrategyResumed: self._resumed,
            facts.StrategyFailed: self._has_failed,
            facts.StrategyMissing: self._is_missing,
            facts.StrategyFound: self._is_found,
            facts.StrategyForgot: self._has_forgotten,
            facts.Fact: self._any,
        }

    def remember(self, memories: dict[str, StrategyMemory]) -> None:
        """Restore the saved memories, before facts are folded."""
        self.memories = memories

    def restore(self, state: OrchestratorState) -> None:
        """Restore a saved state, by the settings in force."""
        self.state = state
        self.contexts.lost_on = state.lost_on
        self._build(self.in_force())

    def no_trade(self) -> dict[str, int]:
        """Return the counts of each reason, over all strategies and symbols."""
        total: Counter[str] = Counter()
        for key, state in self.state.runners.items():
            total.update(state.reasons)
            total.update(self.memories[key].reasons if key in self.memories else ())
        del total[SIGNAL]
        return {str(reason): count for reason, count in sorted(total.items())}

    @property
    def runners(self) -> dict[Symbol, list[Runner]]:
        """The running strategies, by symbol."""
        return self.roster.runners

    # ── beside the fold ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def silent(self) -> set[str]:
        """Strategies without an answer to the last bar: failed, resting, or missing."""
        return self.showing.silent

    @property
    def forgot(self) -> dict[tuple[str, Symbol], str]:
        """Strategies whose memory did not fit, with the reason, until it is reported."""
        return self.showing.making.forgot

    def measure(self, clock: Callable[[], float] | None) -> None:
        """Set the monotonic clock, in seconds, that measures answers; None measures nothing (ST-07)."""
        self.showing.measure(clock)

    def knows_who_missed(self, missed: Missed) -> None:
        """Set the recorded time-outs: nothing is measured, and a strategy without a recorded answer is not asked
        (MD-05).
        """
        self.showing.knows_who_missed(missed)

    def ask(self, bar: Bar) -> Iterator[EntrySignal | ExitSignal | facts.StrategyFailed]:
        """Yield the answers of each strategy to a folded bar, one after the other."""
        if self.showing.silent:
            self.showing.silent = set()
        if self.has_steps:
            self.catch_up()
        self._is_asking = True
        for runner in self.runners.get(bar.symbol, ()):
            self._asked += 1
            said = self.showing.ask(runner, bar)
            if said.failure is not None:
                yield said.failure
            if said.signal is not None:
                yield said.signal
        self._unasked, self._is_asking = None, False

    @property
    def has_unasked(self) -> bool:
        """Whether a bar is folded whose strategies were not all asked: an unforeseen event came in between."""
        return self._unasked is not None and not self._is_asking

    def keep_unasked(self) -> None:
        """Queue that bar for the strategies that were not asked, as after a start; their answers are ignored."""
        bar, self._unasked, self._is_asking = self._unasked, None, False
        if bar is None:
            return
        for runner in self.runners.get(bar.symbol, ())[self._asked :]:
            runner.keep(bar, rests=runner.state.rests and not runner.context.held)
            self.has_steps = True

    def begin_rebuild(self, until: datetime) -> None:
        """Start folding a journal that ends at `until`: bars are queued for its end."""
        self.is_rebuilding = True
        if until - self._shows_from > SHOWN:
            self._shows_from = until - SHOWN

    def end_rebuild(self) -> None:
        """Finish the fold and bring the strategies up to date."""
        self.is_rebuilding = False
        self.catch_up()

    def catch_up(self) -> None:
        """Perform each strategy's queued steps; their answers are ignored."""
        self.has_steps = False
        if self.roster.is_built:
            self.showing.settings = self.contexts.settings
            self.roster.let_run()
        for runner in (*self.roster.left.values(), *self.roster.everyone()):
            if runner.steps:
                self.showing.perform(runner)
        self.roster.left = {}

    def session_over(self, bar: Bar) -> facts.ReasonsCounted | None:
        """Return the answers of the previous session if one starts with `bar`."""
        if all(bar.start < runner.until for runner in self.runners.get(bar.symbol, ())):
            return None
        session = self.calendar.session_at(bar.start)
        if isinstance(session, NoSession):
            return None
        is_first, self._entered_on = self._entered_on != session.day, session.day
        runners = self.roster.everyone() if is_first else self.runners.get(bar.symbol, ())
        over = {
            runner.key: {str(reason): bars for reason, bars in runner.memory.reasons.items()}
            for runner in runners
            if runner.memory.reasons and runner.state.session is not None and runner.state.session < session.day
        }
        return facts.ReasonsCounted(session.day, over) if over else None

    def missing(self) -> dict[str, str]:
        """Return the user strategies that do not load, with the reason: those with a table, and every broken file."""
        made = {r.name: r.strategy.reason for r in self.roster.everyone() if isinstance(r.strategy, MissingStrategy)}
        return {**self.kinds.faults, **made}

    def wanting_history(self) -> tuple[Symbol, ...]:
        """Return symbols on which a strategy lacks past bars."""
        return tuple(s for s, runners in self.runners.items() if any(r.memory.wants_history for r in runners))

    def history_wanted(self, symbol: Symbol) -> int:
        """Return the number of bars that every strategy on the symbol needs."""
        return max((bars_needed(r.strategy) for r in self.runners[symbol] if r.memory.wants_history), default=0)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, runner: Runner, step: Step) -> None:
        runner.steps.append(step)
        self.has_steps = True

    def _any(self, _at: datetime, _fact: facts.Fact) -> None:
        """Mark the contexts dirty: any other fact may have changed them."""
        self.contexts.is_dirty = True

    def _engine_started(self, at: datetime, _fact: facts.EngineStarted) -> None:
        """Sessions may have passed without a desk: strategies with a gap in their windows restart."""
        self.contexts.is_dirty = True
        if self.state.heard is not None and has_missed_bars(self.calendar, self.state.heard, at):
            step = Hole()
            for runner in self.roster.everywhere():
                self._tell(runner, step)

    def _history_taken(self, _at: datetime, fact: facts.HistoryLoaded) -> None:
        for runner in self.roster.places.get(fact.symbol, ()):
            self._tell(runner, PastBars(fact.bars))

    def _applied(self, _at: datetime, fact: facts.SettingsApplied) -> None:
        self._build(fact.settings)

    def _paused(self, at: datetime, fact: facts.StrategyPaused) -> None:
        state = self._state_of(fact.strategy, fact.symbol)
        state.paused_at, state.paused_because, state.rests = at, fact.reason, fact.rests
        self.contexts.is_dirty = True

    def _resumed(self, _at: datetime, fact: facts.StrategyResumed) -> None:
        """Restart one that rested, because it has missed bars."""
        state, runner = self._state_of(fact.strategy, fact.symbol), self.roster.place(fact.strategy, fact.symbol)
        if state.rests and runner is not None:
            self._tell(runner, Anew(is_late=fact.symbol in self.state.marks))
        state.paused_at, state.paused_because, state.rests = None, "", False
        state.faults, state.fault = 0, ""
        self.contexts.is_dirty = True

    def _signal_raised(self, _at: datetime, fact: facts.SignalRaised) -> None:
        """Keep the signal's plan, which a later replay of the bar must not change."""
        signal, shown = fact.signal, self._last_shown(fact.signal.strategy, fact.signal.symbol, fact.signal.bar_start)
        if shown is not None:
            shown.said = signal

    def _counted(self, _at: datetime, fact: facts.ReasonsCounted) -> None:
        for key, reasons in fact.reasons.items():
            state = self.state.runners.setdefault(key, RunnerState())
            state.reasons.update({reason: bars for reason, bars in reasons.items() if reason != SIGNAL})
            state.anomaly = _anomaly(reasons, fact.before)
            name, _, symbol = key.partition("/")
            if (runner := self.roster.place(name, Symbol(symbol))) is not None:
                self._tell(runner, CountedReasons())

    def _has_failed(self, _at: datetime, fact: facts.StrategyFailed) -> None:
        state = self._state_of(fact.strategy, fact.symbol)
        state.faults, state.has_answered, state.fault = state.faults + 1, False, fault_in_words(fact)
        shown = self._last_shown(fact.strategy, fact.symbol, fact.bar_start)
        if shown is not None:
            shown.is_missed = fact.is_broken_off

    def _is_missing(self, _at: datetime, fact: facts.StrategyMissing) -> None:
        self.state.missing[fact.strategy] = fact.reason

    def _is_found(self, _at: datetime, fact: facts.StrategyFound) -> None:
        self.state.missing.pop(fact.strategy, None)

    def _has_forgotten(self, at: datetime, fact: facts.StrategyForgot) -> None:
        state, runner = self._state_of(fact.strategy, fact.symbol), self.roster.place(fact.strategy, fact.symbol)
        state.forgot, state.forgot_on = f"what was saved does not fit: {fact.reason}", self.calendar.trading_day(at)
        if runner is not None:
            self._tell(runner, ToldSignal(is_late=fact.symbol in self.state.marks))

    def _state_of(self, strategy: str, symbol: Symbol) -> RunnerState:
        return self.state.runners.setdefault(key_of(strategy, symbol), RunnerState())

    def _last_shown(self, strategy: str, symbol: Symbol, start: datetime) -> ShownBar | None:
        if not self.is_rebuilding:
            return None
        runner = self.roster.place(strategy, symbol)
        return None if runner is None else runner.last_shown(start)

    def _build(self, settings: Settings) -> None:
        self.contexts.settings = settings
        self.roster.build(settings, self.state, self.memories)
        self.has_steps = self.has_steps or bool(self.roster.places)
        self.contexts.is_dirty = True

    def _conditions(self, runner: Runner) -> Conditions:
        return self.holdings.conditions(runner.symbol, runner.name, runner.day, self.state.marks)

    def _announced(self, at: datetime, fact: facts.SessionsAnnounced) -> None:
        days = {each.day for each in fact.days}
        for runner in self.roster.everywhere():
            if runner.state.session in days and runner.context.session.day == runner.state.session:
                self.contexts.follow(runner, at)

    def _split(self, at: datetime, fact: facts.CorporateActionApplied) -> None:
        """Forget a price that may be of before it; each strategy on the symbol begins again, and says so (MD-09)."""
        if not fact.moves_prices:
            return
        for runner in self.roster.places.get(fact.symbol, ()):
            state = self._state_of(runner.name, fact.symbol)
            state.forgot, state.forgot_on = BEGINS_AGAIN, self.calendar.trading_day(at)
            self._tell(runner, Anew(is_late=fact.symbol in self.state.marks))
        self.state.marks.pop(fact.symbol, None)

    def _bar_closed(self, at: datetime, fact: facts.BarClosed) -> None:
        bar = fact.bar
        if self._unasked is not None:
            self.keep_unasked()
        if not self.is_rebuilding:
            self._unasked, self._asked = bar, 0
        self.state.marks[bar.symbol] = bar.close
        self.state.heard = bar.start
        day = self.calendar.trading_day(at)
        for runner in self.roster.places.get(bar.symbol, ()):
            state, context = runner.state, runner.context
            enters = runner.is_before(bar, day)
            if enters:
                self.contexts.enter(runner, bar, at)
            if self.contexts.is_dirty:  # a runner whose session has not begun is refreshed when it enters
                entered = (each for each in self.roster.everywhere() if not each.is_before(bar, day))
                self.contexts.refresh(entered, self.state.marks)
            elif enters:
                self.contexts.refresh((runner,), self.state.marks)
            if context.held:
                self.contexts.disable_after_loss(runner, self.state.marks)
            rests = state.rests and not context.held
            if state.faults and not rests:
                _settle(state)
            if self.is_rebuilding:
                if bar.start < self._shows_from:
                    runner.is_behind = True
                else:
                    runner.keep(bar, rests=rests)
                    self.has_steps = True


def _settle(state: RunnerState) -> None:
    """A bar without a failure resets the count of consecutive failures."""
    if state.has_answered:
        state.faults, state.fault = 0, ""
    state.has_answered = True


def _anomaly(reasons: Mapping[str, int], before: date) -> str:
    """Describe the single reason of all bars of a session; empty if there were few, or it was chosen."""
    bars = sum(reasons.values())
    if len(reasons) != 1 or bars < ENOUGH_FOR_AN_ANOMALY or set(reasons) <= CHOSEN:
        return ""
    return f"{next(iter(reasons))} for all {bars} bars of the session before {before:%d %B}"


def opposed(answers: Sequence[EntrySignal | ExitSignal], bar: Bar) -> facts.SignalsOpposed | None:
    """Return the contradiction among the answers to one bar; None if there is none."""
    buyers = tuple(a.strategy for a in answers if isinstance(a, EntrySignal))
    sellers = tuple(a.strategy for a in answers if isinstance(a, ExitSignal))
    if not buyers or not sellers:
        return None
    return facts.SignalsOpposed(bar.symbol, bar.start, buyers, sellers, sellers)


def kept(answers: Sequence[EntrySignal | ExitSignal], found: facts.SignalsOpposed | None) -> Signals:
    """Return the answers that are staged."""
    return [a for a in answers if found is None or isinstance(a, ExitSignal)]
