"""The broker's clock: this machine's, one that began at another time, or one that stands until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from core.io.wall_clock import utc_now


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC."""
        ...

    @property
    def runs(self) -> bool:
        """Whether it moves by itself."""
        ...


class RunningClock:
    """Real time, or the time that it was `at` when it was made, moved on in real time."""

    runs = True

    def __init__(self, at: datetime | None = None) -> None:
        self._ahead = timedelta(0) if at is None else at - utc_now()

    def now(self) -> datetime:
        return utc_now() + self._ahead


class StillClock:
    """Stands until it is moved."""

    runs = False

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at
