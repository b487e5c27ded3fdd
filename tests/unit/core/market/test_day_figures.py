"""A symbol's day so far: each minute counts once, whichever way it came."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.market.normaliser import DayFigures
from core.model.bar import Bar
from core.model.values import Price
from tests.scenarios.house import minutes
from tests.unit.core.brokers.trading_floor import THURSDAY

BARS = [*minutes("09:30", "09:34", "100"), *minutes("09:35", "09:44", "101"), *minutes("09:45", "09:50", "99")]
CLOSE = BARS[0].start + timedelta(minutes=390)


def figures(bars: list[Bar]) -> DayFigures:
    made = DayFigures(THURSDAY, CLOSE)
    for bar in bars:
        made.take(bar)
    return made


def told_of(one: DayFigures) -> tuple[object, ...]:
    return one.last, one.last_at, one.volume, one.course


def test_a_day_has_last_price_volume_and_closes() -> None:
    """MD-06"""
    day = figures(BARS)

    assert (day.last, day.last_at) == (Price(Decimal(99)), BARS[-1].end)
    assert day.volume == sum(bar.volume for bar in BARS)
    assert day.course == tuple(Price(Decimal(close)) for close in (100, 101, 101, 99, 99))


def test_a_repeated_or_late_minute_counts_once() -> None:
    """MD-06, MD-03"""
    day = figures([*BARS, BARS[-1], BARS[3]])

    assert told_of(day) == told_of(figures(BARS))


def test_missed_minutes_are_filled_in_once() -> None:
    """MD-06: a symbol is added in the middle of a session; its history overlaps what is heard meanwhile."""
    day = figures(BARS[8:])
    day.take_earlier([*BARS[:12], BARS[0]])
    day.take_earlier(BARS[:5])

    assert told_of(day) == told_of(figures(BARS))


def test_an_unheard_day_is_its_history() -> None:
    """MD-06"""
    day = DayFigures(THURSDAY, CLOSE)
    day.take_earlier(reversed(BARS))

    assert told_of(day) == told_of(figures(BARS))
