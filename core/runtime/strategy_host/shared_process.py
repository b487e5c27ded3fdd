"""A strategy's seat in its process: created and asked there, with bars for which it was asked in advance."""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from core.model.bar import Bar
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import Blocked, LostError, StrategyProcess
from core.strategies.base import OverdueError
from core.strategies.context import Context
from core.strategies.signal_checks import UnfitError
from core.strategies.user_strategies import RaisedError


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
        is_played = self.process.waits > self.process.patience
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
            self._seen_again(since)
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

    def _seen_again(self, since: list[tuple[Bar, list[Any]]]) -> None:
        """Replay the bars that it answered after the copy was made."""
        rows = [[number, *pipe_messages.bar_out(bar)] for number, (bar, _) in enumerate(since)]
        while rows:
            rows = rows[self._shown_rows(rows, [row for _, row in since], is_again=True) :]

    def _wait_from_now(self, more: float = 0.0) -> None:
        """Start the time-out for all questions until the next call."""
        self._ends = time.monotonic() + self.process.patience + more

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
