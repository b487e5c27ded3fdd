"""A clock that jumped shuts entries: ages, windows and days are measured by it. It ends when it was steady.

The desk's own time never goes back. What a person confirms to close, cancels and kills needs no right clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.desk import Desk
from core.effects import Effect
from core.facts import ClockJumped, ClockSettled
from core.inputs import ClockRead
from core.workflows.contract import answers


class Timekeeping:
    """`_again_at` is when the clock was last seen behind; a restart looks anew."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._again_at: datetime | None = None

    @answers(ClockRead)
    def on_read(self, message: ClockRead) -> Iterable[Effect]:
        state = self.desk.control.state
        self._again_at = self.desk.at
        if message.jumped or state.clock is None:
            self.desk.record(ClockJumped(message.jumped, message.behind))
        return ()

    def next_due(self) -> Iterator[datetime]:
        jumped_at = self.desk.control.state.clock_jumped_at
        if jumped_at is not None:
            steady = timedelta(seconds=float(self.desk.control.settings.risk.clock_steady_seconds))
            yield max(jumped_at, self._again_at or jumped_at) + steady

    def due(self) -> Iterable[Effect]:
        for ends in self.next_due():
            if self.desk.at >= ends:
                self.desk.record(ClockSettled())
        return ()
