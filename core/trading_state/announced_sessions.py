"""The slice of the sessions that the broker announced: they override the table, also after a start (MD-10)."""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime

from core.facts import SessionsAnnounced
from core.model.lazy_dataclass import dataclass
from core.model.session import AnnouncedDay, Calendar


@dataclass(slots=True)
class AnnouncedSessionsState:
    """`days` holds the last announcement of each day."""

    days: dict[date, AnnouncedDay] = field(default_factory=dict)


class AnnouncedSessions:
    """It is folded before all others: they read the calendar."""

    name = "announced_sessions"

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self.state = AnnouncedSessionsState()
        self.folds = {SessionsAnnounced: self._announced}

    def restore(self, state: AnnouncedSessionsState) -> None:
        self.state = state
        if state.days:
            self._calendar.follow(state.days.values())

    def _announced(self, _at: datetime, fact: SessionsAnnounced) -> None:
        self.state.days.update({each.day: each for each in fact.days})
        self._calendar.follow(fact.days)
