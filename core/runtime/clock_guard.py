"""The machine's clock beside one that nobody sets: whether it jumped, and a time that never goes back.

Where the machine's clock is set back, the desk's time goes on at half its pace until the two meet: it neither stands
still, so that what lapses does lapse, nor stays ahead for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from core.messages.inputs import ClockRead

PACE_BEHIND = 0.5
AGAIN = 10.0
"""Seconds between two words on a clock that still lies behind."""
TENTH = Decimal("0.1")


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
    """

    def __init__(self, now: Callable[[], datetime], steady: Callable[[], float], start: datetime) -> None:
        self.now, self.steady = now, steady
        self._lock = threading.Lock()
        self._wall, self._at = now(), steady()
        self._time = max(self._wall, start)
        self._jumped = 0.0
        self._told_at = self._at - AGAIN

    def read(self) -> datetime:
        """The desk's time."""
        with self._lock:
            wall, at = self.now(), self.steady()
            passed = max(at - self._at, 0.0)
            step = (wall - self._wall).total_seconds() - passed
            self._jumped = step if abs(step) > abs(self._jumped) else self._jumped
            self._wall, self._at = wall, at
            self._time = max(wall, self._time + timedelta(seconds=passed * PACE_BEHIND))
            return self._time

    def news(self, limit: float) -> ClockRead | None:
        """A jump of `limit` seconds or more since the last look, or that the clock still lies so far behind."""
        with self._lock:
            jumped, self._jumped = self._jumped, 0.0
            behind = (self._time - self._wall).total_seconds()
            is_due = behind >= limit and self._at - self._told_at >= AGAIN
            if abs(jumped) < limit and not is_due:
                return None
            self._told_at = self._at
            jump = jumped if abs(jumped) >= limit else 0.0
            return ClockRead(_seconds(jump), _seconds(behind))


def _seconds(seconds: float) -> Decimal:
    return Decimal(str(seconds)).quantize(TENTH)
