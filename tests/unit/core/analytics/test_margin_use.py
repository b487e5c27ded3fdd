"""Margin in use over time, from its samples, against numpy (AN-01, RK-14)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from core.analytics.desk_measures import instants_of, margin_days
from core.facts import EngineStarted, MarginSampled
from core.model.session import HOME
from core.model.values import Fraction, Money
from core.ports import Recorded

OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def a_sample(minutes: int, equity: float, maintenance: float, initial: float | None = None) -> Recorded:
    told = None if initial is None else Money(Decimal(str(initial)))
    distance = Fraction(Decimal(1))
    fact = MarginSampled(Money(Decimal(str(equity))), Money(Decimal(str(maintenance))), told, distance)
    return Recorded(minutes, OPEN + timedelta(minutes=minutes), fact)


def test_each_day_has_its_peak_and_mean_use() -> None:
    """AN-01"""
    chance = np.random.default_rng(3)
    equity, maintenance = chance.uniform(900, 1100, 40).round(2), chance.uniform(100, 500, 40).round(2)
    records = [a_sample(n, *pair, 2 * pair[1]) for n, pair in enumerate(zip(equity, maintenance, strict=True))]
    records += [a_sample(60, 1000, 0, 0), Recorded(61, OPEN, EngineStarted())]

    (day,) = margin_days(instants_of(records), HOME.day_of)

    use = maintenance / equity
    assert (day.day, day.instants) == (date(2026, 1, 5), 40)
    assert day.highest == pytest.approx(use.max())
    assert day.mean == pytest.approx(use.mean())
    assert day.initial == pytest.approx((2 * use).max())
    assert day.at == OPEN + timedelta(minutes=int(use.argmax()))


def test_an_instant_without_use_is_in_no_mean() -> None:
    """AN-01"""
    instants = instants_of([a_sample(0, 1000, 300), a_sample(1, 1000, 0)])

    assert [each.maintenance for each in instants] == [0.3, 0.0]
    assert [(day.mean, day.initial) for day in margin_days(instants, HOME.day_of)] == [(0.3, None)]


def test_without_equity_the_share_is_unbounded() -> None:
    """AN-01"""
    (day,) = margin_days(instants_of([a_sample(0, 1000, 900), a_sample(1, -5, 900)]), HOME.day_of)

    assert (day.highest, day.mean, day.at) == (None, None, OPEN + timedelta(minutes=1))


def test_days_are_the_venues_days() -> None:
    """AN-01"""
    evening, next_day = 10 * 60, 24 * 60
    records = [a_sample(evening, 1000, 100), a_sample(evening + 1, 1000, 0), a_sample(next_day, 1000, 200)]

    assert [day.day for day in margin_days(instants_of(records), HOME.day_of)] == [date(2026, 1, 5), date(2026, 1, 6)]
