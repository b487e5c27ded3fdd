"""Exchange sessions: when the regular market is open, as New York keeps its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Session:
    """One regular session. `open` and `close` are UTC; `close` is early on a half day."""

    day: date
    open: datetime
    close: datetime

    def holds(self, at: datetime) -> bool:
        return self.open <= at < self.close


@dataclass(frozen=True, slots=True)
class NoSession:
    """The market is closed; `reason` says why in words (weekend, holiday, night)."""

    reason: str


class Calendar(Protocol):
    """The exchange's sessions. Implemented by `core.market.calendar`."""

    def session_on(self, day: date) -> Session | NoSession:
        """The session of a New York day."""
        ...

    def session_at(self, at: datetime) -> Session | NoSession:
        """The session that is open at `at` (UTC)."""
        ...

    def next_session(self, at: datetime) -> Session:
        """The first session that opens after `at`."""
        ...

    def trading_day(self, at: datetime) -> date:
        """The New York date of `at`."""
        ...
