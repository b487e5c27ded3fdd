"""An account's use of margin over time, as sampled by its journal (AN-01, RK-14).

An instant is a sample of the account's figures, at most one a minute while margin is in use, and one when that ends; a
cash account, or a broker without margin figures, has none. The figures are maintenance margin over equity, and initial
margin over equity if the broker reports it. Requirements are the broker's: FINRA Rule 4210(c) for maintenance,
Regulation T (12 CFR 220.12) for initial margin, or higher ones of the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.facts import MarginSampled
from core.model.values import ZERO, Money
from core.ports import Recorded


@dataclass(frozen=True, slots=True)
class MarginInstant:
    """Fractions of equity; None if equity was zero or less, and `initial` also if the broker did not report it."""

    at: datetime
    maintenance: float | None
    initial: float | None
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class MarginDay:
    """A trading day with margin in use.

    Attributes
    ----------
    instants
        The number of samples with margin in use.
    highest, at
        The highest maintenance margin over equity, and its time; None if equity was zero or less then: above any value.
    mean
        The mean of the samples in use, each counted once; at one a minute that is the mean over the time in use.
    initial
        The highest initial margin over equity; None if the broker did not report it.
    """

    day: date
    instants: int
    highest: float | None
    at: datetime
    mean: float | None
    initial: float | None


def instants_of(records: Iterable[Recorded]) -> list[MarginInstant]:
    """Return an instant per sample, in order."""
    found = []
    for record in records:
        if isinstance(fact := record.fact, MarginSampled):
            maintenance = _to(fact.maintenance_margin, fact.equity)
            initial = None if fact.initial_margin is None else _to(fact.initial_margin, fact.equity)
            found.append(MarginInstant(record.at, maintenance, initial, fact.maintenance_margin > ZERO))
    return found


def margin_days(instants: Iterable[MarginInstant], day_of: Callable[[datetime], date]) -> list[MarginDay]:
    """Return the days with margin in use, in order."""
    by_day: dict[date, list[MarginInstant]] = {}
    for instant in instants:
        if instant.is_in_use:
            by_day.setdefault(day_of(instant.at), []).append(instant)
    return [_day(day, found) for day, found in by_day.items()]


def _day(day: date, found: Sequence[MarginInstant]) -> MarginDay:
    worst = max(found, key=lambda each: float("inf") if each.maintenance is None else each.maintenance)
    shares = [each.maintenance for each in found if each.maintenance is not None]
    initial = [each.initial for each in found if each.initial is not None]
    mean = sum(shares) / len(shares) if len(shares) == len(found) else None
    return MarginDay(day, len(found), worst.maintenance, worst.at, mean, max(initial, default=None))


def _to(margin: Money, equity: Money) -> float | None:
    return float(margin / equity) if equity > ZERO else None
