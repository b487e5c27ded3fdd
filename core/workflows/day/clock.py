"""Compare the broker's clock with the desk's; if they differ or ours jumped, entries wait (EX-23).

So does everything that time alone would trigger. The operator's actions and stops do not depend on the clock. The
broker's clock is read each minute, and every few seconds while ours is in doubt: only agreement with it ends the doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.facts import ClockDiffered, ClockJumped, ClockSettled
from core.messages.effects import Effect, FetchClock
from core.messages.inputs import ClockFetched, ClockRead, Start
from core.model.broker import NoAnswer
from core.model.values import ZERO
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers

EACH = timedelta(minutes=1)
IN_DOUBT = timedelta(seconds=5)


class ClockWatch:
    """`_asked_at` is the time of the last request; since `_agreed_at` both clocks agree in this doubt."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._agreed_at: datetime | None = None
        self._is_told = False
        self._step = ZERO

    @answers(Start)
    def on_start(self, _command: Start) -> Iterable[Effect]:
        return self._ask() if self._pause is not None else ()

    @answers(ClockRead)
    def on_read(self, message: ClockRead) -> Iterable[Effect]:
        if message.jumped or not self.state.control.is_clock_in_doubt:
            self.state.record(ClockJumped(message.jumped, message.behind))
            self._is_told = False
        self._agreed_at = None
        return self._ask()

    @answers(ClockFetched)
    def on_clock(self, reply: ClockFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            return ()
        self._step += reply.step
        if reply.is_near:
            self._agreed_at = self._agreed_at or self.state.at
            self._settle()
            return ()
        self._agreed_at = None
        if not self._is_told or not self.state.control.is_clock_in_doubt:
            self._is_told = True
            self.state.record(ClockDiffered(reply.ahead))
        return ()

    def next_due(self) -> Iterator[datetime]:
        if (pause := self._pause) is not None:
            yield self.state.at if self._asked_at is None else self._asked_at + pause
        if (settles_at := self._settles_at()) is not None:
            yield settles_at

    def due(self) -> Iterable[Effect]:
        self._settle()
        pause = self._pause
        is_due = pause is not None and (self._asked_at is None or self.state.at >= self._asked_at + pause)
        return self._ask() if is_due else ()

    @property
    def _pause(self) -> timedelta | None:
        """Return the time between two requests; None if the desk uses the broker's clock."""
        if self.state.control.is_clock_in_doubt:
            return IN_DOUBT
        return EACH if self.state.sightings.has_own_clock else None

    def _ask(self) -> Iterable[Effect]:
        self._asked_at = self.state.at
        return (FetchClock(),)

    def _settles_at(self) -> datetime | None:
        """Return when the doubt ends: both clocks agree, and ours has been steady since."""
        jumped_at = self.state.control.state.clock_jumped_at
        if jumped_at is None or self._agreed_at is None:
            return None
        steady = timedelta(seconds=float(self.state.control.settings.risk.clock_steady_seconds))
        return max(self._agreed_at, jumped_at + steady)

    def _settle(self) -> None:
        settles_at = self._settles_at()
        if settles_at is not None and self.state.at >= settles_at:
            self.state.record(ClockSettled(self._step))
            self._step, self._is_told = ZERO, False
