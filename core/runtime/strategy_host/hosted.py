"""The user's strategies as kinds that a desk can make: each text in a process, each symbol a seat in it (ST-01).

A seat has the desk's last good copy of its memory. A process that is lost takes nothing else with it: the next one is
given that copy and goes on from there.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from itertools import count, islice
from typing import Any

from core.model.bar import Bar
from core.model.signal import Answer
from core.own_terms import OwnTerms
from core.runtime.strategy_host import wire
from core.runtime.strategy_host.process import STARTING, Blocked, LostError, StrategyProcess
from core.strategies.base import Context, Figures
from core.strategies.boundary import UnfitError
from core.strategies.elsewhere import MemoryElsewhere
from core.strategies.house import Coming, Kind
from core.strategies.own import OwnRunning, RaisedError
from core.strategies.patience import OverdueError

MANY = 256
"""Bars in one question at the most."""
A_BATCH = 0.5
"""Seconds that a batch may take beyond one answer: its process tells it before."""
MOST_CONDITIONS = 16
"""How often one answer may ask what its size looks at."""
GONE = "its process is gone; resume it to start it again"


def kind_of(process: StrategyProcess) -> Kind:
    """How the strategy of a text that has loaded is made."""
    numbers = count()

    def make(terms: OwnTerms, memory: Any) -> OwnRunning:
        remembered = memory.plain() if isinstance(memory, MemoryElsewhere) else memory
        seat = Seat(process, next(numbers), terms.terms, remembered)
        forgot = seat.take_place()
        if isinstance(memory, MemoryElsewhere) and not forgot:
            memory.follow(seat.plain)
            return OwnRunning(process.name, seat, memory)
        return OwnRunning(process.name, seat, MemoryElsewhere(seat.plain), forgot)

    def foresee(coming: Coming) -> None:
        process.coming = coming

    return Kind(make, MemoryElsewhere, foresee)


class Seat:
    """One strategy on one symbol."""

    def __init__(self, process: StrategyProcess, number: int, terms: dict[str, Any], remembered: object) -> None:
        self.process, self.number, self.terms = process, number, terms
        self._copy = remembered
        self._is_stale = False
        self._since: list[tuple[Bar, list[Any]]] = []
        self._generation = 0
        self._figures: tuple[date, Figures] | None = None
        self._ahead: Ahead | None = None
        self._batch = 1
        weakref.finalize(self, process.left.append, number).atexit = False

    def take_place(self) -> str:
        """Be made in the process as it is; what of the memory did not fit. Raises `UnfitError`, `RaisedError`."""
        try:
            refused = self.process.ready(STARTING)
            if refused is not None:
                raise UnfitError(refused.faults[0])
            return self._be_made()
        except LostError as error:
            raise RaisedError(str(error)) from None

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self._figures = None
        if self._ahead is not None:
            if self._ahead.expects(bar, context):
                return self._next_of_ahead(self._ahead, bar, context)
            self._turn_back(context)
        coming = self.process.coming(bar) if self.process.coming is not None else ()
        with self._losing(context):
            self._be_there(context)
            if coming:
                return self._look_ahead(bar, context, coming)
            return self._answered(["bar", self.number, wire.bar_out(bar), wire.context_out(context)], bar, context)

    def shown(self, bars: Iterable[tuple[Bar, Context]]) -> int:
        self._figures, done = None, 0
        for batch in _in_batches(bars):
            left = batch
            while left:
                took = self._shown(left)
                done, left = done + took, left[took:]
        return done

    def figures(self, day: date) -> Figures:
        if self._figures is None or self._figures[0] != day:
            self._figures = (day, self._figures_of(day))
        return self._figures[1]

    def plain(self) -> object:
        """The memory after the last bar; after a loss the last that the desk heard of."""
        if self._ahead is not None:
            self._turn_back(None)
        if self._is_stale and self._is_there:
            with suppress(RaisedError, OverdueError), self._losing(None):
                self._copied(self._named("state", self.process.ask("state", self.number)))
        return self._copy

    # ── there, lost, there again ─────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_there(self) -> bool:
        return self.process.is_ready and self._generation == self.process.generation

    def _be_there(self, context: Context) -> None:
        """After a loss: a new process, and the memory that the desk has. One that is paused stays gone."""
        if self._is_there:
            return
        if context.is_paused and not self.process.is_running:
            raise LostError(GONE)
        refused = self.process.ready(self.process.waits)
        if refused is not None:
            raise LostError(refused.faults[0])
        since = [*self._since]
        try:
            self._be_made()
        except UnfitError as error:
            raise LostError(str(error)) from None
        if since:
            self._seen_again(since)

    def _be_made(self) -> str:
        match self.process.ask("make", self.number, self.terms, self._copy):
            case ["made", str(forgot), dict() as state]:
                self._generation = self.process.generation
                self._copied(state)
                return wire.words(forgot)
            case ["unfit", str(why)]:
                raise UnfitError(wire.words(why))
        raise self.process.breach()

    def _seen_again(self, since: list[tuple[Bar, list[Any]]]) -> None:
        """Bars that it answered after the copy was made."""
        rows = [[number, *wire.bar_out(bar)] for number, (bar, _) in enumerate(since)]
        while rows:
            rows = rows[self._shown_rows(rows, [row for _, row in since]) :]

    def _losing(self, context: Context | None) -> Losing:
        return Losing(self, is_paused=context is not None and context.is_paused)

    def lose(self, *, is_paused: bool) -> None:
        """The process is gone; the next is begun where somebody may need it."""
        self._ahead, self._is_stale = None, False
        if not is_paused:
            with suppress(OSError):
                self.process.begin()

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, question: list[object], bar: Bar, context: Context) -> Answer:
        ends, reply = time.monotonic() + self.process.patience, self.process.ask(*question)
        for _ in range(MOST_CONDITIONS):
            if reply != ["conditions"]:
                return self._heard(reply, bar)
            left = max(0.0, ends - time.monotonic())
            reply = self.process.ask("conditions", wire.conditions_out(context.conditions()), seconds=left)
        raise self.process.breach()

    def _heard(self, reply: list[Any], bar: Bar) -> Answer:
        match reply:
            case ["answer", answer, dict() | None as state]:
                self._copied(state)
                return self._taken(answer, bar)
            case ["failed", str(why), dict() | None as state]:
                self._copied(state)
                raise RaisedError(wire.words(why))
        raise self.process.breach()

    def _taken(self, answer: object, bar: Bar) -> Answer:
        try:
            taken = wire.answer_in(answer, self.process.name, bar)
        except wire.WireError:
            raise self.process.breach() from None
        return taken  # type: ignore[return-value]  # what is odd is named at the boundary

    def _copied(self, state: object) -> None:
        self._is_stale = state is None
        if state is not None:
            self._copy = state
            self._since.clear()

    def _named(self, name: str, reply: list[Any]) -> object:
        match reply:
            case [found, value] if found == name:
                return value
        raise self.process.breach()

    def _shown(self, batch: list[tuple[Bar, Context]]) -> int:
        contexts: list[Context] = []
        rows = []
        for bar, context in batch:
            if not contexts or contexts[-1] != context:
                contexts.append(context)
            rows.append([len(contexts) - 1, *wire.bar_out(bar)])
        with self._losing(None):
            self._be_there(batch[0][1])
            return self._shown_rows(rows, [wire.context_out(context) for context in contexts])

    def _shown_rows(self, rows: list[list[Any]], contexts: list[list[Any]]) -> int:
        match self.process.ask("show", self.number, rows, contexts, seconds=self.process.patience + A_BATCH):
            case ["shown", int(done), dict() as state] if 0 < done <= len(rows):
                self._copied(state)
                return done
            case ["failed", str(why), dict() as state]:
                self._copied(state)
                raise RaisedError(wire.words(why))
        raise self.process.breach()

    def _figures_of(self, day: date) -> Figures:
        if self._ahead is not None:
            self._turn_back(None)
        if not self._is_there:
            return (("figures", "its process is not there"),)
        try:
            with self._losing(None):
                return wire.figures_in(self._named("figures", self.process.ask("figures", self.number, day)))
        except (RaisedError, OverdueError, wire.WireError) as error:
            return (("figures", str(error)),)

    # ── ahead, where the bars are known and nobody waits ─────────────────────────────────────────────────────────

    def _look_ahead(self, bar: Bar, context: Context, coming: Iterable[Bar]) -> Answer:
        """Ask of this bar and those that are expected, as if nothing changed; what was expected is not asked again."""
        session = context.session
        later = (each for each in coming if session.open <= each.start < session.close)
        bars = [bar, *islice(later, self._batch - 1)]
        try:
            ahead = self._asked_ahead(bars, context)
        except (LostError, OverdueError):
            if len(bars) == 1:
                raise
            self.lose(is_paused=False)  # on a bar that has not come: this one alone first
            self._batch = 1
            self._be_there(context)
            ahead = self._asked_ahead([bar], context)
        self._batch = min(self._batch * 2, MANY)
        return self._next_of_ahead(ahead, bar, context)

    def _asked_ahead(self, bars: list[Bar], context: Context) -> Ahead:
        ahead = Ahead(bars, context)
        rows = [wire.bar_out(each) for each in bars]
        question = ("ahead", self.number, rows, ahead.row)
        match self.process.ask(*question, seconds=self.process.patience + A_BATCH):
            case ["ran", [*reasons], None | [*_] as last, dict() as before]:
                told = len(reasons) + (last is not None)
                if 0 < told <= len(bars):
                    ahead.reasons.extend(reasons)
                    ahead.last = last
                    if last == ["conditions"]:
                        self.process.blocked = ahead.blocked
                    self._copied(before)
                    self._is_stale = True
                    self._ahead = ahead
                    return ahead
        raise self.process.breach()

    def _next_of_ahead(self, ahead: Ahead, bar: Bar, context: Context) -> Answer:
        with self._losing(context):
            self._since.append((bar, ahead.row))
            if ahead.reasons:
                ahead.done += 1
                answer = self._taken(["none", ahead.reasons.popleft()], bar)
                if not ahead.reasons and ahead.last is None:
                    self._ahead = None
                return answer
            self._ahead = None
            last = ahead.last
            if last == ["conditions"]:
                last = self._sized(context)
            match last:
                case ["answer", answer]:
                    return self._taken(answer, bar)
                case ["failed", str(why)]:
                    raise RaisedError(wire.words(why))
            raise self.process.breach()

    def _sized(self, context: Context) -> Any:
        """What it answers that had something to size."""
        ends, self.process.blocked = time.monotonic() + self.process.patience, None
        for _ in range(MOST_CONDITIONS):
            left = max(0.0, ends - time.monotonic())
            match self.process.ask("conditions", wire.conditions_out(context.conditions()), seconds=left):
                case ["ran", [], ["conditions"], _]:
                    continue
                case ["ran", [], last, _]:
                    return last
            break
        raise self.process.breach()

    def _turn_back(self, context: Context | None) -> None:
        """What was expected does not come: back to the last bar that did."""
        ahead, self._ahead, self._batch = self._ahead, None, 1
        if ahead is None or not self._is_there:
            return
        with suppress(RaisedError, OverdueError), self._losing(context):
            seconds = self.process.patience + A_BATCH
            self._copied(self._named("rewound", self.process.ask("rewind", self.number, ahead.done, seconds=seconds)))


class Ahead:
    """Bars that were asked of before they came, and what was answered."""

    def __init__(self, bars: list[Bar], context: Context) -> None:
        self.bars = bars
        self.done = 0
        self.reasons: deque[Any] = deque()
        self.last: list[Any] | None = None
        self.row = wire.context_out(context)
        self.blocked = Blocked()
        self._terms = _terms(context)

    def expects(self, bar: Bar, context: Context) -> bool:
        if self.blocked.is_broken or self.done >= len(self.bars):
            return False
        return self.bars[self.done] == bar and self._terms == _terms(context)


class Losing:
    """What becomes of a process that fails in here: the seat knows it, and the desk hears it in its own words."""

    def __init__(self, seat: Seat, *, is_paused: bool) -> None:
        self._seat, self._is_paused = seat, is_paused

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, LostError | OverdueError):
            self._seat.lose(is_paused=self._is_paused)
        if isinstance(error, LostError):
            raise RaisedError(str(error)) from None


def _terms(context: Context) -> tuple[object, ...]:
    """All that a strategy is told, but what it asks for."""
    return (
        context.session,
        context.window_first,
        context.window_last,
        context.flat_from,
        context.entries_allowed,
        context.is_enabled,
        context.is_paused,
        context.is_day_disabled,
        context.entries_filled,
        context.held,
        context.entry_price,
        context.entered_at,
        context.recommendation,
        context.covered,
        context.is_waiting,
        context.is_broker_behind,
        context.risk_per_trade,
        context.max_notional,
        context.min_notional,
    )


def _in_batches(bars: Iterable[tuple[Bar, Context]]) -> Iterator[list[tuple[Bar, Context]]]:
    each = iter(bars)
    while batch := list(islice(each, MANY)):
        yield batch
