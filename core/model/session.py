"""Exchange sessions: the regular market hours of a venue's days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


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
    """The market is closed; `reason` says why (weekend, holiday, night)."""

    reason: str
