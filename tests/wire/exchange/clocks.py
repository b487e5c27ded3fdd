"""The broker's clock: this machine's, one that began at another time, or one that stands until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


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
        self._ahead = timedelta(0) if at is None else at - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


class StillClock:
    """Stands until it is moved."""

    runs = False

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at
