"""How fast virtual time runs against the wall: as fast as it can, or at a speed, and at ×1 while a person decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

BEAT = 0.02
"""Seconds of the wall between two heartbeats."""
RESTING_BEAT = 0.1
"""The same while nobody looks: what is asked of the engine wakes it at once, and is not waited for with a beat."""
DEAD_HOURS = timedelta(minutes=5)
"""Nothing due for this long: the wait is skipped, as over a night."""


class Pace:
    """Waits until it is time, a beat at the longest; wakes early when a command arrives.

    Parameters
    ----------
    speed
        Virtual seconds a second of the wall; None runs without waiting.
    wall
        The wall's clock, in seconds.

    Attributes
    ----------
    free_until
        What lies before is not waited for: the demo's morning.
    rate
        Virtual seconds a second of the wall, now.
    """

    def __init__(self, speed: float | None, wall: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self.wall = wall
        self.free_until: datetime | None = None
        self.rate = 1.0
        self.wake = threading.Event()
        self._attended = False
        self._base_wall = self.wall()
        self._base: datetime | None = None
        self._last_beat = 0.0
        self._beat: Callable[[], float] = lambda: BEAT

    def beat_by(self, beat: Callable[[], float]) -> None:
        """How many seconds lie between two beats is asked of whoever knows whether somebody looks."""
        self._beat = beat

    def attend(self, attended: bool) -> None:
        """A person is at a ticket or at the kill screen: ×1 until they are not. Called from the console's thread."""
        self._attended = attended
        self.wake.set()

    def now(self, last: datetime) -> datetime:
        """Virtual time at this instant of the wall, never before `last`."""
        if self._base is None or self.speed is None:
            return last
        passed = (self.wall() - self._base_wall) * self.rate
        return max(last, self._base + timedelta(seconds=passed))

    def wait_until(self, at: datetime, last: datetime) -> bool:
        """Return True when `at` has come, False when something may have to be looked at first."""
        if self.speed is None or (self.free_until is not None and at <= self.free_until):
            return not self.wake.is_set()
        if self._base is None:
            self._rebase(max(last, self.free_until) if self.free_until is not None else last)
        attended = self._attended
        self._use(attended, last)
        if at - self.now(last) > DEAD_HOURS:
            self._rebase(at)
        left = (at - self.now(last)).total_seconds() / self.rate
        if left <= 0:
            return not self.wake.is_set()
        self.wake.wait(min(left, self._beat()))
        return False

    def is_beat_due(self) -> bool:
        """Once in the time between two; a wait that ended a little early is not another one to be waited."""
        now = self.wall()
        if now - self._last_beat < self._beat() * 0.8:
            return False
        self._last_beat = now
        return True

    def hurry(self) -> None:
        """The next beat is due at once: something happened that a person may be waiting for."""
        self._last_beat = 0.0

    def _use(self, attended: bool, last: datetime) -> None:
        rate = 1.0 if attended else (self.speed or 1.0)
        if rate != self.rate:
            here = self.now(last)
            self.rate = rate
            self._rebase(here)

    def _rebase(self, at: datetime) -> None:
        self._base = at
        self._base_wall = self.wall()
