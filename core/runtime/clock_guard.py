"""The desk's time: this machine's clock while it agrees with the broker's, and never ahead of it for long (EX-23).

A machine's clock that jumps is not followed. The desk's time then goes on by a clock that nobody sets, until the broker
says what time it is: where this machine's clock agrees with that, it is followed again, and the desk's time catches up
in one step. Where it does not, the desk goes by the broker's. Time that ran ahead stands still until it is right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.messages.inputs import ClockRead

AGAIN = 10.0
"""Seconds between two words on a desk's time that still runs ahead."""
NEAR = 2.0
"""Seconds by which two clocks may differ (EX-23)."""
FAR = 3600.0
"""Seconds by which the broker's clock may be ahead of the desk's time and be followed at its first word. What is
further ahead must be said twice: the desk's time never goes back.
"""
FURTHEST = 31 * 86_400.0
"""Seconds: what is further ahead is no clock, however often it is said."""
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the broker's clock showed, seconds.

    Attributes
    ----------
    ahead
        Of this machine's clock against the broker's, below zero where it is behind.
    is_near
        Whether the two agree, as far as the request's own time lets one tell, and the desk's time with them.
    step
        By which the desk's time went forward.
    """

    ahead: Decimal
    is_near: bool
    step: Decimal


class ClockGuard:
    """Any thread may read it.

    Parameters
    ----------
    now
        The machine's clock, UTC.
    steady
        Seconds that only grow.
    start
        What the desk's time is at least: that of its last record.
    limit
        Seconds by which the machine's clock must move otherwise than time does for a jump.
    """

    def __init__(
        self, now: Callable[[], datetime], steady: Callable[[], float], start: datetime, limit: float = NEAR
    ) -> None:
        self.now, self.steady = now, steady
        self.limit = limit
        self._lock = threading.Lock()
        self._wall, self._at = now(), steady()
        self._start = start
        self._time = max(self._wall, start)
        self._anchor: tuple[datetime, float] | None = None
        self._far: tuple[datetime, float] | None = None
        self._jumped = 0.0
        self._is_news = False
        self._told_at = self._at - AGAIN

    def read(self) -> datetime:
        """The desk's time."""
        with self._lock:
            return self._read()

    def doubt(self) -> None:
        """The broker's clock could not be asked at the start: the desk's time goes on from its last record."""
        with self._lock:
            self._time, self._anchor, self._is_news = self._start, (self._start, self.steady()), True

    def hear(self, broker_time: datetime, asked: float, answered: float) -> Comparison:
        """The broker's clock, and the steady seconds between which it was read."""
        with self._lock:
            before = self._read()
            uncertain = max(answered - asked, 0.0) / 2
            true = broker_time + timedelta(seconds=self._at - asked - uncertain)
            ahead = (self._wall - true).total_seconds()
            is_near = abs(ahead) <= NEAR + uncertain
            if is_near:
                self._anchor = self._far = None
            elif self._may_be_followed(true, before):
                self._anchor = (true, self._at)
            step = (self._read() - before).total_seconds()
            is_near &= self._time - self._right() < timedelta(seconds=NEAR)
            return Comparison(_seconds(ahead), is_near, _seconds(step))

    def _may_be_followed(self, true: datetime, desk_time: datetime) -> bool:
        """A clock that is far ahead may be wrong for one answer: a second one must agree with it."""
        ahead = (true - desk_time).total_seconds()
        if ahead <= FAR:
            self._far = None
            return True
        before, self._far = self._far, (true, self._at)
        if before is None or ahead > FURTHEST:
            return False
        return abs((true - before[0]).total_seconds() - (self._at - before[1])) <= NEAR

    def news(self) -> ClockRead | None:
        """A jump since the last look, or that the desk's time still runs ahead of what is right."""
        with self._lock:
            jumped, self._jumped = self._jumped, 0.0
            ahead = (self._time - self._right()).total_seconds()
            is_due = ahead >= self.limit and self._at - self._told_at >= AGAIN
            if not jumped and not is_due and not self._is_news:
                return None
            self._told_at, self._is_news = self._at, False
            return ClockRead(_seconds(jumped), _seconds(max(ahead, 0.0)))

    def _read(self) -> datetime:
        wall, at = self.now(), self.steady()
        step = (wall - self._wall).total_seconds() - max(at - self._at, 0.0)
        if abs(step) >= self.limit:
            self._jumped = step if abs(step) > abs(self._jumped) else self._jumped
            self._anchor = self._anchor or (self._time, self._at)
        self._wall, self._at = wall, max(at, self._at)
        self._time = max(self._time, self._right())
        return self._time

    def _right(self) -> datetime:
        if self._anchor is None:
            return self._wall
        time, at = self._anchor
        return time + timedelta(seconds=self._at - at)


def _seconds(seconds: float) -> Decimal:
    return Decimal(str(seconds)).quantize(TENTH)
