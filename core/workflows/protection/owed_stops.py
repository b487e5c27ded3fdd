"""Shares that have been owed a stop for seconds: it is recorded, so that a person is called, and measured (EX-22).

What is owed, since when and why, says the slice; who is told follows the record. Nothing is sent here: where none is
under way, the broker's books are asked for, and what is owed is given by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.facts import StopInForce, StopOwed
from core.messages.effects import Effect
from core.model.codes import OwedReason
from core.trading_state.owed_stops import Owing
from core.trading_state.state import TradingState

TOLD_AFTER = timedelta(seconds=3)
"""So that whoever is called is called within five."""


class StopsOwed:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def settle(self, _asked: list[Effect]) -> None:
        """What began, what changed its reason and what is over since the last act."""
        self.due()

    def next_due(self) -> Iterator[datetime]:
        return (owing.since + TOLD_AFTER for owing in self._untold())

    def due(self) -> None:
        for owing in list(self._untold()):
            if self.state.at >= owing.since + TOLD_AFTER:
                its = owing.symbol, owing.strategy
                self.state.record(StopOwed(*its, owing.quantity, owing.since, owing.why))
                if owing.why is OwedReason.DUE:
                    self.state.sightings.books_are_wanted = True
        for owing, until in list(self.state.owed_stops.state.over):
            its = owing.symbol, owing.strategy
            self.state.record(StopInForce(*its, owing.most, owing.since, until, owing.why))

    def _untold(self) -> Iterator[Owing]:
        return (each for each in self.state.owed_stops.all() if each.needs_a_person and not each.is_told)
