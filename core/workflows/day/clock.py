"""A clock that jumped shuts entries: ages, windows and days are measured by it. It ends when it was steady.

The desk's own time never goes back. What a person confirms to close, cancels and kills needs no right clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.facts import ClockJumped, ClockSettled
from core.messages.effects import Effect
from core.messages.inputs import ClockRead
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers


class ClockWatch:
    """`_again_at` is when the clock was last seen behind; a restart looks anew."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._again_at: datetime | None = None

    @answers(ClockRead)
    def on_read(self, message: ClockRead) -> Iterable[Effect]:
        state = self.state.control.state
        self._again_at = self.state.at
        if message.jumped or state.clock is None:
            self.state.record(ClockJumped(message.jumped, message.behind))
        return ()

    def next_due(self) -> Iterator[datetime]:
        jumped_at = self.state.control.state.clock_jumped_at
        if jumped_at is not None:
            steady = timedelta(seconds=float(self.state.control.settings.risk.clock_steady_seconds))
            yield max(jumped_at, self._again_at or jumped_at) + steady

    def due(self) -> Iterable[Effect]:
        for ends in self.next_due():
            if self.state.at >= ends:
                self.state.record(ClockSettled())
        return ()
