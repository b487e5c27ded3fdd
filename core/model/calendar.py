"""The sessions of one venue, as whoever decides by a day or an hour asks for them (RK-20)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from core.model.session import NoSession, Session
from core.model.venue import Venue


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
