"""Exchange sessions: when the regular market is open, as its venue keeps its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from core.model.venue import Venue


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
    """The sessions of one venue. Implemented by `core.market.calendar`."""

    @property
    def venue(self) -> Venue:
        """Whose sessions they are; by its clock a day begins and ends."""
        ...

    def session_on(self, day: date) -> Session | NoSession:
        """The session of a day there."""
        ...

    def session_at(self, at: datetime) -> Session | NoSession:
        """The session that is open at `at` (UTC)."""
        ...

    def next_session(self, at: datetime) -> Session:
        """The first session that opens after `at`."""
        ...

    def trading_day(self, at: datetime) -> date:
        """The venue's date at `at`."""
        ...
