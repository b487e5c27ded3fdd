"""The measures of a backtest, against figures that were worked out by hand, or by pandas."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analytics.metrics import (
    DayOfEquity,
    calmar,
    deepest,
    drawdowns,
    expectancy,
    longest_under_water,
    metrics,
    profit_factor,
    returns_of,
    sharpe,
    sortino,
    win_rate,
    yearly,
)

FIRST = date(2024, 1, 1)


def a_series(*equities: float) -> list[DayOfEquity]:
    return [DayOfEquity(FIRST + timedelta(days=number), equity) for number, equity in enumerate(equities)]


def test_sharpe_and_sortino_are_those_that_pandas_works_out() -> None:
    """AN-01, AN-04"""
    series = a_series(100, 102, 101, 105, 103, 104, 108, 107)
    returns = pd.Series([each.equity for each in series]).pct_change().dropna()

    assert sharpe(returns_of(series)) == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252))
    downside = math.sqrt((returns.clip(upper=0) ** 2).mean())
    assert sortino(returns_of(series)) == pytest.approx(returns.mean() / downside * math.sqrt(252))


def test_a_drawdown_tells_how_deep_from_when_until_when_and_how_long() -> None:
    """AN-01: the deepest one is from 120 to 90; the later one, from 130 to 110, is none of it."""
    fall = deepest(a_series(100, 120, 110, 90, 115, 121, 130, 110))

    assert fall is not None
    assert fall.depth == pytest.approx(0.25)
    assert (fall.peak, fall.trough, fall.recovered) == (date(2024, 1, 2), date(2024, 1, 4), date(2024, 1, 6))
    assert fall.sessions == 4


def test_a_drawdown_that_is_not_made_good_lasts_to_the_end() -> None:
    """AN-01"""
    series = a_series(100, 120, 110, 100, 105)
    fall = deepest(series)

    assert fall is not None
    assert (fall.recovered, fall.sessions) == (None, 3)
    assert longest_under_water(series) == 3


def test_of_trades_what_was_won_and_lost_is_weighed() -> None:
    """AN-04"""
    profits = [10.0, -4.0, 6.0, -4.0]

    assert profit_factor(profits) == 2.0
    assert win_rate(profits) == 0.5
    assert expectancy(profits) == 2.0


def test_growth_a_year_takes_the_sessions_of_a_year_as_one() -> None:
    """AN-01"""
    series = a_series(*(100 * 1.1 ** (day / 252) for day in range(505)))

    assert yearly(series) == pytest.approx(0.1)
    assert calmar(series) is None  # it never fell


def test_what_cannot_be_worked_out_is_not_made_up() -> None:
    """AN-04"""
    assert sharpe([0.01]) is None
    assert sharpe([0.01, 0.01]) is None
    assert sortino([0.01, 0.02]) is None
    assert profit_factor([1.0]) is None
    assert win_rate([]) is None
    assert deepest(a_series(1, 2, 3)) is None
    told = metrics([], [])
    assert (told["sharpe"], told["win_rate"], told["total_return"]) == (None, None, None)


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=60))
def test_no_day_is_further_below_its_peak_than_the_deepest_drawdown(equities: list[float]) -> None:
    """AN-01"""
    series = a_series(*equities)
    fall = deepest(series)

    assert max(drawdowns(series)) == pytest.approx(fall.depth if fall else 0.0)
