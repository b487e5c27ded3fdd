"""One strategy on one symbol as it runs, and what the fold leaves for it to be shown.

The fold of a journal runs no strategy: it notes, in order, what each is to be shown and told. A live desk does that at
once, a start when the whole journal is folded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from core.model.bar import Bar
from core.model.session import Session
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import ZERO, Symbol
from core.model.venue import Venue
from core.risk.evaluation.book import Suspension
from core.risk.size_factors.base import Conditions
from core.strategies.answers import not_now, shut
from core.strategies.base import Strategy
from core.strategies.builtin import HOUSE
from core.strategies.context import Context
from core.strategies.memory import SIGNAL, RunnerState, StrategyMemory
from core.strategies.user_strategies import MissingStrategy

SHOWN = timedelta(days=30)
"""Of a journal a start shows a strategy no older bars than these; what came before, it forgets."""


class Begins(Enum):
    """With a bar a session begins: the first that this strategy saw, or the one after another."""

    FIRST = "first"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Made:
    """It is made of its settings; `is_late` where its symbol had bars before."""

    terms: Any
    is_late: bool


@dataclass(frozen=True, slots=True)
class Anew:
    """It begins anew, as one that was never made; `is_late` as there."""

    is_late: bool


@dataclass(frozen=True, slots=True)
class Hole:
    """Bars passed without it: what needs bars in a row begins anew, and whatever forgot the oldest of them."""

    is_forgotten: bool = False


@dataclass(frozen=True, slots=True)
class PastBars:
    """Bars of the past, one after the other."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class CountedReasons:
    """What it answered in this session is counted."""


@dataclass(frozen=True, slots=True)
class ToldSignal:
    """That it forgot is told, whatever its memory was before; `is_late` as there."""

    is_late: bool


@dataclass(slots=True)
class ShownBar:
    """A bar, and what it was told beside it: bars in a row share one context until it changes.

    Attributes
    ----------
    conditions
        Of this bar, in the place of those of `context`.
    is_paused, rests
        As it was then; one that rests is counted and not shown the bar.
    is_missed
        It had no answer in time: the bar is none that it saw.
    said
        Its signal, where it raised one.
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
    """`day` is the one on which its last bar was heard: a whole day's bar is heard on the next, and that one's equity,
    entries and losses count for what it says.

    Attributes
    ----------
    state, memory
        What the facts tell of it; what it remembers itself.
    begins
        The session that began with the last bar, until it is shown that.
    told
        A copy of `context` as it is, for bars that are shown later; None where it has changed since.
    is_behind
        Bars went by that it will not be shown: they are too old.
    steps
        What it is to be shown and told yet, the oldest first.
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
    shut: Suspension | None = None
    day: date = date.min
    begins: Begins | None = None
    told: Context | None = None
    is_behind: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def key(self) -> str:
        return key_of(self.name, self.symbol)

    def reasons(self) -> Counter[str]:
        """How often each reason for not trading was given, this session included."""
        total = self.state.reasons + self.memory.reasons
        del total[SIGNAL]
        return total

    def keep(self, bar: Bar, *, rests: bool) -> None:
        """It is shown this bar when the journal is folded, with what it is told now."""
        begins, self.begins = self.begins, None
        if self.is_behind:
            self.is_behind = False
            self.steps.append(Hole(is_forgotten=True))
        told = self.told = self.told or copy(self.context)
        is_paused = self.state.paused_at is not None
        self.steps.append(ShownBar(bar, told, self._conditions_at(bar, told), begins, is_paused, rests))

    def last_shown(self, start: datetime) -> ShownBar | None:
        """What it is to be shown last, where that is the bar of `start`."""
        for step in reversed(self.steps):
            if isinstance(step, ShownBar):
                return step if step.bar.start == start else None
        return None

    def _conditions_at(self, bar: Bar, told: Context) -> Callable[[], Conditions]:
        """A size asks for them later: they are as now wherever one could be asked for."""
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
    """One that has been shown nothing yet; `conditions` are asked when there is something to size."""
    nowhere = datetime.min.replace(tzinfo=UTC)
    session = Session(date.min, nowhere, nowhere)
    context = Context(session, nowhere, nowhere, nowhere, 0, venue, conditions=lambda: conditions(runner))
    stand_in = MissingStrategy(name, memory.state, "it has not begun yet")
    runner = Runner(name, symbol, state, memory, stand_in, context, nowhere)
    return runner


def key_of(strategy: str, symbol: Symbol) -> str:
    return f"{strategy}/{symbol}"


def always(conditions: Conditions) -> Callable[[], Conditions]:
    return lambda: conditions


nothing_left = always(Conditions(capital_left=ZERO))
"""What passes no entry: no size comes of it."""
