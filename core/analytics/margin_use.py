"""How much of its equity an account had in margin, over time, as its journal sampled it (AN-01, RK-14).

An instant is one of the account's own figures, one a minute at most while any margin is in use, and one more when that
ends; on a cash account, or where the broker tells none, there is no instant. The figure is maintenance margin over
equity, and beside it initial margin over equity where the broker tells that. What is required is the broker's word:
FINRA Rule 4210(c) for maintenance, Regulation T (12 CFR 220.12) for initial margin, or more where the house asks so.
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
    """As fractions of equity; None where equity was zero or less, and `initial` where the broker told none."""

    at: datetime
    maintenance: float | None
    initial: float | None
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class MarginDay:
    """A trading day with an instant of which margin was in use.

    Attributes
    ----------
    instants
        Of the day, in use.
    highest, at
        The highest maintenance over equity, and when; None where equity was zero or less just then: it is over any.
    mean
        Of the instants in use, each counted once; one a minute makes it the mean over the time in use.
    initial
        The highest initial over equity; None where the broker told none.
    """

    day: date
    instants: int
    highest: float | None
    at: datetime
    mean: float | None
    initial: float | None


def instants_of(records: Iterable[Recorded]) -> list[MarginInstant]:
    """One a sample, in their order."""
    found = []
    for record in records:
        if isinstance(fact := record.fact, MarginSampled):
            maintenance = _to(fact.maintenance_margin, fact.equity)
            initial = None if fact.initial_margin is None else _to(fact.initial_margin, fact.equity)
            found.append(MarginInstant(record.at, maintenance, initial, fact.maintenance_margin > ZERO))
    return found


def margin_days(instants: Iterable[MarginInstant], day_of: Callable[[datetime], date]) -> list[MarginDay]:
    """The days on which any margin was in use, in their order."""
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
