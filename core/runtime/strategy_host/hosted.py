"""The user's strategies as kinds that a desk can construct, and the bars of played files as they will see them (ST-01).


A seat has the desk's last valid copy of its memory. The loss of a process affects nothing else: the next one is given
that copy and continues.
"""

from __future__ import annotations

import time
import weakref
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from itertools import count, islice
from operator import itemgetter
from typing import Any

from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.signal import Answer
from core.model.values import Symbol
from core.runtime.feed import Timed
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import Blocked, LostError, StrategyProcess
from core.settings.strategies import UserStrategySettings
from core.strategies.base import Context, Figures, OverdueError, RemoteMemory
from core.strategies.builtin import RaisedError, StrategyKind, StrategyKinds, UserStrategyRunning
from core.strategies.trade_plan import UnfitError

# ── a seat in a process ──────────────────────────────────────────────────────────────────────────────────────────────
# A strategy's seat in its process: created and asked there, with bars for which it was asked in advance.


class BarBatches:
    """Bars for which a strategy was asked in advance, and its answers."""

    def __init__(self, bars: list[Bar], context: Context) -> None:
        self.bars = bars
        self.done = 0
        self.reasons: deque[Any] = deque()
        self.last: list[Any] | None = None
        self.row = pipe_messages.context_out(context)
        self.blocked = Blocked()
        self._terms = _terms(context)

    def expects(self, bar: Bar, context: Context) -> bool:
        if self.blocked.is_broken or self.done >= len(self.bars):
            return False
        return self.bars[self.done] == bar and self._terms == _terms(context)


def _terms(context: Context) -> tuple[object, ...]:
    """Return all context that a strategy is given, except for values it requests."""
    return (
        context.session,
        context.windows,
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


A_BATCH = 0.5
"""Extra seconds for a batch beyond one answer's time-out; its process answers earlier."""
GONE = "its process is gone; resume it to start it again"


class SharedProcess:
    """One strategy on one symbol, which the desk can recreate.

    It has the desk's last valid copy of the memory, and the bars that were answered since.
    """

    def __init__(self, process: StrategyProcess, number: int, terms: dict[str, Any], remembered: object) -> None:
        self.process, self.number, self.terms = process, number, terms
        self._copy = remembered
        self._is_stale = False
        self._since: list[tuple[Bar, list[Any]]] = []
        self._generation = 0
        self._ends = 0.0
        self._unsaid = ""
        weakref.finalize(self, process.left.append, number).atexit = False

    def take_place(self) -> str:
        """Create it in the process.

        Return why the memory did not fit, or an empty string. Raises `UnfitError`, `RaisedError`.
        """
        if not self.process.is_ready:  # one is starting: nobody waits, and the next bar creates it
            return ""
        try:
            self._wait_from_now()
            return self._be_made()
        except LostError as error:
            raise RaisedError(str(error)) from None

    # ── availability, loss and recovery ──────────────────────────────────────────────────────────────────────────

    @property
    def _is_there(self) -> bool:
        return self.process.is_ready and self._generation == self.process.generation

    def _be_there(self, context: Context) -> None:
        """After a loss, start a new process and restore the memory. A paused strategy stays stopped."""
        if self._is_there:
            return
        if context.is_paused and not self.process.is_running:
            raise LostError(GONE)
        is_played = self.process.waits > self.process.timeout
        refused = self.process.ready(self.process.waits if is_played else self._left)
        if refused is not None:
            raise LostError(refused.faults[0])
        since = [*self._since]
        if is_played:
            self._wait_from_now(A_BATCH)
        try:
            self._be_made()
        except UnfitError as error:
            raise LostError(str(error)) from None
        if since:
            # Replay the bars that it answered after the copy was made.
            rows = [[number, *pipe_messages.bar_out(bar)] for number, (bar, _) in enumerate(since)]
            while rows:
                rows = rows[self._shown_rows(rows, [row for _, row in since], is_again=True) :]
        if is_played:
            self._wait_from_now()

    def _be_made(self) -> str:
        match self._ask("make", self.number, self.terms, self._copy):
            case ["made", str(forgot), dict() as state]:
                self._generation = self.process.generation
                self._copied(state)
                return pipe_messages.words(forgot)
            case ["unfit", str(why)]:
                raise UnfitError(pipe_messages.words(why))
        raise self.process.breach()

    def _wait_from_now(self, more: float = 0.0) -> None:
        """Start the time-out for all questions until the next call."""
        self._ends = time.monotonic() + self.process.timeout + more

    @property
    def _left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def _ask(self, *question: object) -> list[Any]:
        return self.process.ask(*question, seconds=self._left)

    @contextmanager
    def _between_bars(self) -> Iterator[None]:
        """Report an error in here with the next bar."""
        try:
            with self._losing(None):
                yield
        except (RaisedError, OverdueError) as error:
            self._unsaid = str(error) if isinstance(error, RaisedError) else f"{type(error).__name__}: {error}"

    @contextmanager
    def _losing(self, context: Context | None) -> Iterator[None]:
        """Handle the failure of a process in here: mark the seat as lost, and raise the desk's own error."""
        try:
            yield
        except (LostError, OverdueError) as error:
            self.lose(is_paused=context is not None and context.is_paused)
            if isinstance(error, OverdueError):
                raise
            raise RaisedError(f"{type(error).__name__}: {error}") from None

    def lose(self, *, is_paused: bool) -> None:
        """Mark the process as lost, and start the next one unless the strategy is paused."""
        self._is_stale = False
        if not is_paused:
            with suppress(OSError):
                self.process.begin()

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _shown_rows(self, rows: list[list[Any]], contexts: list[list[Any]], *, is_again: bool = False) -> int:
        match self._ask("show", self.number, rows, contexts, is_again):
            case ["shown", int(done), dict() as state] if 0 < done <= len(rows):
                self._copied(state)
                return done
            case ["failed", str(why), dict() as state]:
                self._copied(state)
                raise RaisedError(pipe_messages.words(why))
        raise self.process.breach()

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


# ── strategies of the user as kinds ──────────────────────────────────────────────────────────────────────────────────

MANY = 256
"""The maximum number of bars in one question."""
MOST_CONDITIONS = 16
"""How often one answer may ask for sizing conditions."""


def kind_of(process: StrategyProcess) -> StrategyKind:
    """Return the kind that constructs the strategy of a loaded file."""
    numbers = count()

    def make(terms: UserStrategySettings, memory: Any) -> UserStrategyRunning:
        remembered = memory.plain() if isinstance(memory, RemoteMemory) else memory
        seat = HostedStrategy(process, next(numbers), terms.terms, remembered)
        forgot = seat.take_place()
        if isinstance(memory, RemoteMemory) and not forgot:
            memory.follow(seat.plain)
            return UserStrategyRunning(process.name, seat, memory)
        return UserStrategyRunning(process.name, seat, RemoteMemory(seat.plain), forgot)

    return StrategyKind(make, RemoteMemory, process.foresee)


class HostedStrategy(SharedProcess):
    """One strategy on one symbol."""

    def __init__(self, process: StrategyProcess, number: int, terms: dict[str, Any], remembered: object) -> None:
        super().__init__(process, number, terms, remembered)
        self._figures: tuple[date, Figures] | None = None
        self._ahead: BarBatches | None = None
        self._batch = 1

    def lose(self, *, is_paused: bool) -> None:
        self._ahead = None
        super().lose(is_paused=is_paused)

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self._figures = None
        if self._unsaid:
            said, self._unsaid = self._unsaid, ""
            raise RaisedError(said)
        if self._ahead is not None:
            if self._ahead.expects(bar, context):
                return self._next_of_ahead(self._ahead, bar, context)
            self._turn_back()
        coming = self.process.coming(bar) if self.process.coming is not None else ()
        with self._losing(context):
            self._wait_from_now()
            self._be_there(context)
            if coming:
                return self._look_ahead(bar, context, coming)
            return self._answered(bar, context)

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
        """Return the memory after the last bar; after a loss the last copy that the desk received."""
        if self._ahead is not None:
            self._turn_back()
        if self._is_stale and self._is_there:
            with self._between_bars():
                self._wait_from_now()
                self._copied(self._named("state", self._ask("state", self.number)))
        return self._copy

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, bar: Bar, context: Context) -> Answer:
        told = pipe_messages.context_out(context)
        reply = self._ask("bar", self.number, pipe_messages.bar_out(bar), told)
        for _ in range(MOST_CONDITIONS):
            if reply != ["conditions"]:
                self._since.append((bar, told))
                return self._heard(reply, bar)
            reply = self._ask("conditions", pipe_messages.conditions_out(context.conditions()))
        raise self.process.breach()

    def _heard(self, reply: list[Any], bar: Bar) -> Answer:
        match reply:
            case ["answer", answer, dict() | None as state]:
                self._copied(state)
                return self._taken(answer, bar)
            case ["failed", str(why), dict() | None as state]:
                self._copied(state)
                raise RaisedError(pipe_messages.words(why))
        raise self.process.breach()

    def _taken(self, answer: object, bar: Bar) -> Answer:
        try:
            taken = pipe_messages.answer_in(answer, self.process.name, bar)
        except pipe_messages.WireError:
            raise self.process.breach() from None
        return taken  # type: ignore[return-value]  # what is odd is named at the boundary

    def _shown(self, batch: list[tuple[Bar, Context]]) -> int:
        contexts: list[Context] = []
        rows = []
        for bar, context in batch:
            if not contexts or contexts[-1] != context:
                contexts.append(context)
            rows.append([len(contexts) - 1, *pipe_messages.bar_out(bar)])
        with self._losing(None):
            self._wait_from_now(A_BATCH)
            self._be_there(batch[0][1])
            return self._shown_rows(rows, [pipe_messages.context_out(context) for context in contexts])

    def _figures_of(self, day: date) -> Figures:
        if self._ahead is not None:
            self._turn_back()
        if not self._is_there:
            return (("figures", "its process is not there"),)
        figures: Figures = ()
        with self._between_bars():
            self._wait_from_now()
            told = self._named("figures", self._ask("figures", self.number, day))
            try:
                figures = pipe_messages.figures_in(told)
            except pipe_messages.WireError:
                raise self.process.breach() from None
        return (("figures", self._unsaid),) if self._unsaid else figures

    # ── batches of known bars, for runs without a desk ───────────────────────────────────────────────────────────

    def _look_ahead(self, bar: Bar, context: Context, coming: Iterable[Bar]) -> Answer:
        """Ask for this bar and the expected ones in one batch, assuming that nothing changes."""
        session = context.session
        later = (each for each in coming if session.open <= each.start < session.close)
        bars = [bar, *islice(later, self._batch - 1)]
        try:
            ahead = self._asked_ahead(bars, context)
        except (LostError, OverdueError):
            if len(bars) == 1:
                raise
            self.lose(is_paused=False)  # on a bar that has not come: ask for this bar alone first
            self._batch = 1
            self._wait_from_now()
            self._be_there(context)
            ahead = self._asked_ahead([bar], context)
        self._batch = min(self._batch * 2, MANY)
        return self._next_of_ahead(ahead, bar, context)

    def _asked_ahead(self, bars: list[Bar], context: Context) -> BarBatches:
        ahead = BarBatches(bars, context)
        rows = [pipe_messages.bar_out(each) for each in bars]
        self._ends += A_BATCH
        match self._ask("ahead", self.number, rows, ahead.row):
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

    def _next_of_ahead(self, ahead: BarBatches, bar: Bar, context: Context) -> Answer:
        with self._losing(context):
            if ahead.reasons:
                ahead.done += 1
                if len(ahead.reasons) == 1 and ahead.last is None:
                    self._ahead = None
                last: Any = ["answer", ["none", ahead.reasons.popleft()]]
            else:
                self._ahead = None
                last = self._sized(context) if ahead.last == ["conditions"] else ahead.last
            self._since.append((bar, ahead.row))
            match last:
                case ["answer", answer]:
                    return self._taken(answer, bar)
                case ["failed", str(why)]:
                    raise RaisedError(pipe_messages.words(why))
            raise self.process.breach()

    def _sized(self, context: Context) -> Any:
        """Return the answer of a strategy that asked for sizing conditions."""
        self.process.blocked = None
        self._wait_from_now()
        for _ in range(MOST_CONDITIONS):
            match self._ask("conditions", pipe_messages.conditions_out(context.conditions())):
                case ["ran", [], ["conditions"], _]:
                    continue
                case ["ran", [], last, _]:
                    return last
            break
        raise self.process.breach()

    def _turn_back(self) -> None:
        """Return to the last bar that came: the expected one does not."""
        ahead, self._ahead, self._batch = self._ahead, None, 1
        if ahead is None or not self._is_there:
            return
        with self._between_bars():
            self._wait_from_now(A_BATCH)
            self._copied(self._named("rewound", self._ask("rewind", self.number, ahead.done)))


def _in_batches(bars: Iterable[tuple[Bar, Context]]) -> Iterator[list[tuple[Bar, Context]]]:
    each = iter(bars)
    while batch := list(islice(each, MANY)):
        yield batch


class UpcomingBars:
    """The bars after a given one. They are only expected: a bar that is left out costs an extra question."""

    def __init__(self, feeds: Iterable[Sequence[Timed]]) -> None:
        self._feeds: dict[Symbol, Sequence[Timed]] = {}
        for feed in feeds:
            first = next((message for _, _, message in feed if isinstance(message, BarArrived)), None)
            if first is not None:
                self._feeds.setdefault(first.bar.symbol, feed)

    def __call__(self, bar: Bar) -> Sequence[Bar]:
        feed = self._feeds.get(bar.symbol, ())
        after = bisect_right(feed, bar.start, key=itemgetter(0))
        messages = (feed[at][2] for at in range(after, min(after + MANY, len(feed))))
        bars = (message.bar for message in messages if isinstance(message, BarArrived))
        return [each for each in bars if each.symbol == bar.symbol]


def foresee(kinds: StrategyKinds, feeds: Iterable[Sequence[Timed]]) -> None:
    """Give the upcoming bars to every strategy that can use them."""
    coming = UpcomingBars(feeds)
    for kind in kinds.known.values():
        kind.foresee(coming)
