"""The session calendar of one venue, for decisions by day or hour (RK-20)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from core.model.session import NoSession, Session
from core.model.venue import Venue


class Calendar(Protocol):
    """The sessions of one venue. Implemented by `core.market.calendar`."""

    @property
    def venue(self) -> Venue:
        """The venue; its clock decides when a day begins and ends."""
        ...

    def session_on(self, day: date) -> Session | NoSession:
        """Return the session of a day."""
        ...

    def session_at(self, at: datetime) -> Session | NoSession:
        """Return the session that is open at `at` (UTC)."""
        ...

    def next_session(self, at: datetime) -> Session:
        """Return the first session that opens after `at`."""
        ...

    def trading_day(self, at: datetime) -> date:
        """Return the venue's date at `at`."""
        ...
