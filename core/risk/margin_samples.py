"""The slice of margin: how much of it was in use over the last day, and which distance warns now (RK-14).

It is folded from facts and part of the checkpoint: a restart neither warns again of what was warned of nor forgets how
near the day came. The journal keeps the samples of every day before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.facts import MarginSampled, MarginWarned
from core.model.values import Fraction, Money

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """The account's margin at one instant; `distance` is to maintenance, as a share of equity."""

    at: datetime
    equity: Money
    maintenance_margin: Money
    distance: Fraction

    @property
    def utilisation(self) -> Fraction:
        """The share of equity that maintenance asks for."""
        return Fraction(1 - self.distance)


@dataclass(slots=True)
class MarginState:
    """`samples` are the last day's, the oldest first; `limit` is the smallest distance that warns now."""

    samples: list[Sample] = field(default_factory=list)
    limit: Fraction | None = None


class MarginSamples:
    name = "margin"

    def __init__(self) -> None:
        self.state = MarginState()
        self.folds = {MarginSampled: self._sampled, MarginWarned: self._warned}

    def restore(self, state: MarginState) -> None:
        self.state = state

    @property
    def last(self) -> Sample | None:
        return self.state.samples[-1] if self.state.samples else None

    def _sampled(self, at: datetime, fact: MarginSampled) -> None:
        kept = [sample for sample in self.state.samples if sample.at > at - A_DAY]
        self.state.samples = [*kept, Sample(at, fact.equity, fact.maintenance_margin, fact.distance)]

    def _warned(self, _at: datetime, fact: MarginWarned) -> None:
        self.state.limit = fact.limit
