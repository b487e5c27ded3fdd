"""The slice of average daily volumes, against which an order's size is checked (RK-23)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.facts import PastDaysLoaded
from core.model.values import ZERO, Quantity, Symbol

DAYS = 20
"""Sessions of the average: a month of trading, as required."""


@dataclass(frozen=True, slots=True)
class AverageVolume:
    """Shares per session, averaged over `days` sessions up to `day`."""

    shares: Quantity
    days: int
    day: date

    def part(self, part: Decimal) -> Quantity:
        """Return a fraction of it, in shares."""
        return Quantity(part * self.shares)


@dataclass(slots=True)
class VolumesState:
    by_symbol: dict[Symbol, AverageVolume] = field(default_factory=dict)


class Volumes:
    name = "volumes"

    def __init__(self) -> None:
        self.state = VolumesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {PastDaysLoaded: self._past_taken}

    def restore(self, state: VolumesState) -> None:
        self.state = state

    def average(self, symbol: Symbol) -> AverageVolume | None:
        """Return the average of the last twenty sessions, or of fewer if no more are known; None without any."""
        return self.state.by_symbol.get(symbol)

    def _past_taken(self, _at: datetime, fact: PastDaysLoaded) -> None:
        """Take the daily volumes; days without a volume, as in older records, change nothing."""
        told = [(each.day, each.volume) for each in fact.past.days if each.volume is not None][-DAYS:]
        if told:
            shares = Quantity(sum((volume for _, volume in told), ZERO) / len(told))
            self.state.by_symbol[fact.past.symbol] = AverageVolume(shares, len(told), told[-1][0])
