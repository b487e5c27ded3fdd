"""The speed of virtual time: unlimited, or at a given rate, and ×1 while a person decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

BEAT = 0.02
"""Seconds of wall time between two beats."""
RESTING_BEAT = 0.1
"""The same while no desk looks; a request to the engine wakes it at once."""
DEAD_HOURS = timedelta(minutes=5)
"""A wait this long with nothing due is skipped, such as a night."""


class Pace:
    """Wait until a virtual time, at most one beat long; a command ends the wait early.

    Parameters
    ----------
    speed
        Virtual seconds per second of wall time; None runs without waiting.
    wall
        The wall clock, in seconds.

    Attributes
    ----------
    free_until
        Times before this are not waited for: the demo's morning.
    rate
        The current virtual seconds per second of wall time.
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
        """Take the beat interval from `beat`, which knows whether a desk looks."""
        self._beat = beat

    def attend(self, attended: bool) -> None:
        """Set whether a person has a ticket or the kill screen open: ×1 while they do.

        Called from the console's thread.
        """
        self._attended = attended
        self.wake.set()

    def now(self, last: datetime) -> datetime:
        """Return the virtual time at this wall time, never before `last`."""
        if self._base is None or self.speed is None:
            return last
        passed = (self.wall() - self._base_wall) * self.rate
        return max(last, self._base + timedelta(seconds=passed))

    def wait_until(self, at: datetime, last: datetime) -> bool:
        """Return True when `at` is reached, False when an input may have to be processed first."""
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
        """Whether a beat is due, with a tolerance for waits that ended slightly early."""
        now = self.wall()
        if now - self._last_beat < self._beat() * 0.8:
            return False
        self._last_beat = now
        return True

    def hurry(self) -> None:
        """Make the next beat due at once: a person may be waiting for a change."""
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
