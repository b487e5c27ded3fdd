"""One running strategy on one symbol, with its queued steps and its context (ST-03).

Folding a journal runs no strategy: it queues, in order, the bars and events for each. A live desk performs them at
once, a start when the whole journal is folded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from core.model.bar import Bar
from core.model.recommendation import Recommendation
from core.model.session import Calendar, NoSession, Session, Venue
from core.model.signal import EntrySignal, ExitSignal, SuspensionCause
from core.model.values import ZERO, Money, Price, Quantity, Symbol
from core.risk.sizing import Conditions
from core.risk.strategy_evaluation import Suspension
from core.risk.strategy_limits import Limit, daily_loss, entry_spans, max_notional, per_trade
from core.settings.settings import Settings
from core.strategies.base import Context, Strategy, not_now, shut
from core.strategies.builtin import HOUSE, MissingStrategy
from core.strategies.memory import SIGNAL, RunnerState, StrategyMemory

SHOWN = timedelta(days=30)
"""A start replays no older bars of a journal to a strategy; earlier ones are forgotten."""


class Begins(Enum):
    """A session begins with the bar: the first that this strategy saw, or a later one."""

    FIRST = "first"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Made:
    """It is built from its settings; `is_late` if its symbol had bars before."""

    terms: Any
    is_late: bool


@dataclass(frozen=True, slots=True)
class Anew:
    """It restarts as if never built; `is_late` as in `Made`."""

    is_late: bool


@dataclass(frozen=True, slots=True)
class Hole:
    """Bars passed without it: a strategy that needs consecutive bars restarts, and any strategy if `is_forgotten`."""

    is_forgotten: bool = False


@dataclass(frozen=True, slots=True)
class PastBars:
    """Past bars in order."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class CountedReasons:
    """Its answers of this session were counted."""


@dataclass(frozen=True, slots=True)
class ToldSignal:
    """Its loss of memory was reported; earlier steps are void. `is_late` as in `Made`."""

    is_late: bool


@dataclass(slots=True)
class ShownBar:
    """A bar with its context: consecutive bars share one context until it changes.

    Attributes
    ----------
    conditions
        Of this bar, in place of those of `context`.
    is_paused, rests
        As they were then; a resting strategy counts the bar and does not receive it.
    is_missed
        It had no answer in time: it has not seen the bar.
    said
        Its signal, if it raised one.
    """

    bar: Bar
    context: Context
    conditions: Callable[[], Conditions]
    begins: Begins | None
    is_paused: bool
    rests: bool
    is_missed: bool = False
    said: EntrySignal | ExitSignal | None = None


Step = Made | Anew | Hole | PastBars | CountedReasons | ToldSignal | ShownBar


@dataclass(slots=True)
class Runner:
    """One strategy on one symbol.

    `day` is the day on which its last bar was received: a daily bar is received on the next day, whose equity, entries
    and losses count for the answer.

    Attributes
    ----------
    state, memory
        Its state by the facts; its own memory.
    begins
        The session that began with the last bar, until that bar is shown.
    told
        A copy of `context` for bars that are shown later; None if it has changed since.
    is_behind
        Bars passed that it will not receive, because they are too old.
    steps
        Queued steps, oldest first.
    """

    name: str
    symbol: Symbol
    state: RunnerState
    memory: StrategyMemory
    strategy: Strategy
    context: Context
    until: datetime
    terms: Any = None
    daily_limit: Decimal | None = None
    own_limit: Limit | None = None
    shut: Suspension | None = None
    day: date = date.min
    begins: Begins | None = None
    told: Context | None = None
    is_behind: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def key(self) -> str:
        return key_of(self.name, self.symbol)

    def is_before(self, bar: Bar, day: date) -> bool:
        """Whether the session of this bar, of a trading day, has not begun for it: no bar of its own has come yet."""
        return bar.start >= self.until or self.day != day

    def reasons(self) -> Counter[str]:
        """Return the counts of each reason for not trading, this session included."""
        total = self.state.reasons + self.memory.reasons
        del total[SIGNAL]
        return total

    def keep(self, bar: Bar, *, rests: bool) -> None:
        """Queue this bar with the current context for the end of the fold."""
        begins, self.begins = self.begins, None
        if self.is_behind:
            self.is_behind = False
            self.steps.append(Hole(is_forgotten=True))
        told = self.told = self.told or copy(self.context)
        is_paused = self.state.paused_at is not None
        self.steps.append(ShownBar(bar, told, self._conditions_at(bar, told), begins, is_paused, rests))

    def last_shown(self, start: datetime) -> ShownBar | None:
        """Return the last queued bar if it starts at `start`."""
        for step in reversed(self.steps):
            if isinstance(step, ShownBar):
                return step if step.bar.start == start else None
        return None

    def _conditions_at(self, bar: Bar, told: Context) -> Callable[[], Conditions]:
        """Return the conditions for a later size; evaluated now if one could be needed."""
        if self.name in HOUSE and (shut(told, is_enabled=True) or not_now(bar, told)):
            return nothing_left
        return always(self.context.conditions())


def a_runner(
    name: str,
    symbol: Symbol,
    venue: Venue,
    state: RunnerState,
    memory: StrategyMemory,
    conditions: Callable[[Runner], Conditions],
) -> Runner:
    """Build a runner without any bar; `conditions` are evaluated when there is something to size."""
    nowhere = datetime.min.replace(tzinfo=UTC)
    session = Session(date.min, nowhere, nowhere)
    context = Context(session, (), nowhere, 0, venue, conditions=lambda: conditions(runner))
    stand_in = MissingStrategy(name, memory.state, "it has not begun yet")
    runner = Runner(name, symbol, state, memory, stand_in, context, nowhere)
    return runner


def key_of(strategy: str, symbol: Symbol) -> str:
    return f"{strategy}/{symbol}"


def always(conditions: Conditions) -> Callable[[], Conditions]:
    return lambda: conditions


nothing_left = always(Conditions(capital_left=ZERO))
"""Conditions without capital, for bars that allow no entry."""


class HoldingsPort(Protocol):
    """The orchestrator's port to the books and the stage, which it never reads directly."""

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]: ...
    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None: ...
    def covered(self, symbol: Symbol, strategy: str) -> Quantity: ...
    def entries_filled(self, strategy: str, day: date) -> int: ...
    def entries_allowed(self, day: date, strategy: str) -> int: ...
    def is_waiting(self, symbol: Symbol, strategy: str) -> bool: ...
    def queued(self) -> int: ...
    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None: ...
    def shut(self, strategy: str, at: datetime) -> Suspension | None: ...
    def opening_equity(self, day: date) -> Decimal | None: ...
    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions: ...
    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal: ...
    def result_of_strategy(self, strategy: str, day: date, last: dict[Symbol, Price]) -> Decimal | None: ...


class RunnerContexts:
    """Fills the contexts.

    Attributes
    ----------
    settings
        Those in force.
    lost_on
        The last day on which a strategy's loss reached its own limit: part of the orchestrator's state.
    is_dirty
        A fold may have changed the context of a strategy.
    """

    def __init__(self, calendar: Calendar, holdings: HoldingsPort) -> None:
        self.calendar = calendar
        self.holdings = holdings
        self.settings = Settings()
        self.lost_on: dict[str, date] = {}
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
        runner.day = self.calendar.trading_day(at)
        self._keep_to(runner, session)

    def follow(self, runner: Runner, at: datetime) -> None:
        """Move the end of the strategy's session: the broker announced another one (MD-10)."""
        session = self.calendar.session_on(runner.context.session.day)
        if isinstance(session, NoSession):
            session = replace(runner.context.session, close=at)
        runner.told = None
        self._keep_to(runner, session)

    def _keep_to(self, runner: Runner, session: Session) -> None:
        """Set the hours of its session: its end, its windows, and from when it must be flat."""
        runner.until, runner.context.session = session.close, session
        runner.context.windows = entry_spans(self.settings, runner.name, self.calendar.venue, session)
        minutes = self.settings.flat_minutes(runner.name)
        runner.context.flat_from = session.close - timedelta(minutes=minutes)

    def refresh(self, runners: Iterable[Runner], marks: dict[Symbol, Price]) -> None:
        """Update each context with holdings, permissions and proposals."""
        is_broker_behind = self.holdings.queued() > self.settings.execution.max_queued
        self.is_dirty = False
        for runner in runners:
            self._refresh(runner, marks)
            runner.context.is_broker_behind = is_broker_behind

    def _refresh(self, runner: Runner, marks: dict[Symbol, Price]) -> None:
        context, name, symbol, day = runner.context, runner.name, runner.symbol, runner.day
        runner.told = None
        context.held, context.entry_price = self.holdings.held(symbol, name)
        context.entered_at = self.holdings.entered_at(symbol, name)
        context.covered = self.holdings.covered(symbol, name)
        context.entries_filled = self.holdings.entries_filled(name, day)
        context.entries_allowed = self.holdings.entries_allowed(day, name)
        context.is_waiting = self.holdings.is_waiting(symbol, name)
        context.recommendation = self.holdings.recommendation(symbol, name)
        runner.shut = shut = self.holdings.shut(name, context.session.open)
        is_rested = shut is not None and shut.cause is not SuspensionCause.RETIRED
        context.is_paused = runner.state.paused_at is not None or is_rested
        is_open = shut is None and not context.is_paused
        context.is_enabled = self.settings.strategies.of(name).enabled and is_open
        equity = self.holdings.opening_equity(day)
        context.risk_per_trade = _money(per_trade(self.settings, name, equity).if_known)
        context.max_notional = _money(max_notional(self.settings, name, equity).if_known)
        context.min_notional = self.settings.risk.min_notional
        runner.daily_limit = self.settings.risk.daily_loss.of(equity)
        runner.own_limit = daily_loss(self.settings, name, equity)
        self.disable_after_loss(runner, marks)

    def disable_after_loss(self, runner: Runner, marks: dict[Symbol, Price]) -> None:
        """Disable entries for the day once the loss, open positions marked at their last bar, reached the limit
        (ST-02), or a strategy's own loss its own limit (RK-07).
        """
        day, limit, own = runner.day, runner.daily_limit, runner.own_limit
        if limit is not None and -self.holdings.result_of(day, marks) >= limit:
            runner.state.disabled_on = day
        if own is not None and own.usd is not None and self.lost_on.get(runner.name) != day:
            result = self.holdings.result_of_strategy(runner.name, day, marks)
            if result is not None and -result >= own.usd:
                self.lost_on[runner.name] = day
                self.is_dirty = True  # for its other symbols
        is_disabled = day in (runner.state.disabled_on, self.lost_on.get(runner.name))
        if runner.context.is_day_disabled != is_disabled:
            runner.context.is_day_disabled, runner.told = is_disabled, None


def _money(amount: Decimal | None) -> Money | None:
    return None if amount is None else Money(amount)
