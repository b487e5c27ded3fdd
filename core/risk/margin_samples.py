"""The slice of margin: use over the last day, the warning distance in effect, and days with a deficit (RK-14).

It is folded from facts and part of the checkpoint: a restart neither repeats a warning nor forgets the day's use. The
journal keeps the samples of every day before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core.facts import MarginDeficitSeen, MarginSampled, MarginWarned
from core.model.values import Fraction, Money

A_DAY = timedelta(days=1)
A_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Sample:
    """The account's margin at one instant; `distance` is to maintenance, as a share of equity."""

    at: datetime
    equity: Money
    maintenance_margin: Money
    distance: Fraction

    @property
    def utilisation(self) -> Fraction:
        """Maintenance margin as a share of equity."""
        return Fraction(1 - self.distance)


@dataclass(slots=True)
class MarginState:
    """Margin samples and deficits.

    `samples` are the last day's, oldest first; `limit` is the smallest warning distance in effect. `deficits` holds the
    largest deficit of each day with one within a year, USD, oldest first.
    """

    samples: list[Sample] = field(default_factory=list)
    limit: Fraction | None = None
    deficits: dict[date, Money] = field(default_factory=dict)

    def deficits_within(self, days: int, until: date) -> tuple[date, ...]:
        """Return the days with a deficit among `days` calendar days up to `until`, oldest first."""
        return tuple(day for day in self.deficits if day > until - timedelta(days=days))


class MarginSamples:
    name = "margin"

    def __init__(self) -> None:
        self.state = MarginState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            MarginSampled: self._sampled,
            MarginWarned: self._warned,
            MarginDeficitSeen: self._deficit_seen,
        }

    def restore(self, state: MarginState) -> None:
        self.state = state

    @property
    def last(self) -> Sample | None:
        return self.state.samples[-1] if self.state.samples else None

    def _sampled(self, at: datetime, fact: MarginSampled) -> None:
        kept = [sample for sample in self.state.samples if sample.at > at - A_DAY]
        self.state.samples = [*kept, Sample(at, fact.equity, fact.maintenance_margin, fact.distance)]

    def _deficit_seen(self, _at: datetime, fact: MarginDeficitSeen) -> None:
        kept = {day: deficit for day, deficit in self.state.deficits.items() if day > fact.day - A_YEAR}
        kept[fact.day] = max(fact.deficit, kept.get(fact.day, fact.deficit))
        self.state.deficits = dict(sorted(kept.items()))

    def _warned(self, _at: datetime, fact: MarginWarned) -> None:
        self.state.limit = fact.limit
