"""The highest account figure of each day: a reading of the broker, and no slice (AN-01).

No fact has every account figure. The checkpoint keeps the highest ones in a document beside the slices, as it does the
strategies' memories, so that they outlive a restart. A desk without that document has the recorded closes. Displayed
only: no decision reads it.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime

from core.model.lazy_dataclass import dataclass
from core.model.values import Money

DAYS_KEPT = 400
"""As many as results are kept."""


@dataclass(frozen=True, slots=True)
class High:
    """The highest equity of a day, USD, and when the broker had it first."""

    equity: Money
    at: datetime


@dataclass(slots=True)
class Highs:
    """By trading day; `changes` counts changes, so that a reader can skip an unchanged state."""

    days: dict[date, High] = field(default_factory=dict)
    changes: int = 0

    def take(self, day: date, equity: Money, at: datetime) -> None:
        known = self.days.get(day)
        if known is not None and equity <= known.equity:
            return
        self.days[day] = High(equity, at)
        self.changes += 1
        while len(self.days) > DAYS_KEPT:
            del self.days[min(self.days)]
