"""Record shares that have been owed a stop for seconds, for the notice and the measurement (EX-22).

The state slice computes the owed shares, their time and reason; notices follow the record. Nothing is sent here: if no
stop is under way, the broker's books are requested, and the stop follows from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.facts import StopInForce, StopOwed
from core.messages.effects import Effect
from core.model.codes import OwedReason
from core.model.session import Session
from core.trading_state.owed_stops import Owing
from core.trading_state.state import TradingState

TOLD_AFTER = timedelta(seconds=3)
"""Delay of the record, so that a notice leaves within five seconds; for idle exits, while the market is open."""


class StopsOwed:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def settle(self, _asked: list[Effect]) -> None:
        """Record stops newly owed, changed reasons and ended claims since the last act."""
        self.due()

    def next_due(self) -> Iterator[datetime]:
        return map(self._told_at, self._untold())

    def due(self) -> None:
        for owing in list(self._untold()):
            if self.state.at >= self._told_at(owing):
                its = owing.symbol, owing.strategy
                self.state.record(StopOwed(*its, owing.quantity, owing.since, owing.why))
                if owing.why is OwedReason.DUE:
                    self.state.sightings.books_are_wanted = True
        for owing, until in list(self.state.owed_stops.state.over):
            its = owing.symbol, owing.strategy
            self.state.record(StopInForce(*its, owing.most, owing.since, until, owing.why))

    def _told_at(self, owing: Owing) -> datetime:
        """Return when it is recorded.

        No stop trades before the open, so nobody is called at night for one that cannot.
        """
        since = owing.needed_since or owing.since
        if owing.why is OwedReason.NOT_TRADING:
            calendar = self.state.calendar
            now = calendar.session_at(self.state.at)
            since = max(since, now.open if isinstance(now, Session) else calendar.next_session(self.state.at).open)
        return since + TOLD_AFTER

    def _untold(self) -> Iterator[Owing]:
        return (each for each in self.state.owed_stops.all() if each.needs_a_person and not each.is_told)
