"""The user's strategies as kinds that a desk can construct, and the bars of played files as they will see them (ST-01).


A seat has the desk's last valid copy of its memory. The loss of a process affects nothing else: the next one is given
that copy and continues.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import count, islice
from typing import Any

from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.signal import Answer
from core.model.values import Symbol
from core.runtime.feed import Timed
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import LostError, StrategyProcess
from core.runtime.strategy_host.shared_process import A_BATCH, BarBatches, SharedProcess
from core.settings.strategies import UserStrategySettings
from core.strategies.base import Figures, OverdueError
from core.strategies.builtin import StrategyKind, StrategyKinds
from core.strategies.context import Context
from core.strategies.remote_memory import RemoteMemory
from core.strategies.user_strategies import RaisedError, UserStrategyRunning

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
        self._bars: dict[Symbol, list[Bar]] = {}
        for feed in feeds:
            for _, _, message in feed:
                if isinstance(message, BarArrived):
                    self._bars.setdefault(message.bar.symbol, []).append(message.bar)

    def __call__(self, bar: Bar) -> Sequence[Bar]:
        bars = self._bars.get(bar.symbol, [])
        after = bisect_right(bars, bar.start, key=lambda each: each.start)
        return bars[after : after + MANY]


def foresee(kinds: StrategyKinds, feeds: Iterable[Sequence[Timed]]) -> None:
    """Give the upcoming bars to every strategy that can use them."""
    coming = UpcomingBars(feeds)
    for kind in kinds.known.values():
        kind.foresee(coming)
