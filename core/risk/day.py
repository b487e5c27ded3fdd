"""The trading day's loss: what the account was worth when the New York day began (RK-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts import DayStarted
from core.model.values import Money


@dataclass(slots=True)
class DayState:
    day: date | None = None
    equity: Money | None = None


class Day:
    """The slice of the day's opening equity."""

    def __init__(self) -> None:
        self.state = DayState()
        self.folds = {DayStarted: self._started}

    def opening_equity(self, day: date) -> Money | None:
        """Equity at the day's start, USD; None before its first account figure."""
        return self.state.equity if self.state.day == day else None

    def loss(self, day: date, equity: Decimal) -> Money | None:
        """Start-of-day equity less `equity`, USD; below zero is a gain."""
        opening = self.opening_equity(day)
        return None if opening is None else Money(opening - equity)

    def _started(self, _at: datetime, fact: DayStarted) -> None:
        self.state.day = fact.day
        self.state.equity = fact.equity
