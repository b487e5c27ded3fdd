"""Value at risk of recorded returns, equal to the figures of public libraries (AN-02)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.values import Symbol
from core.research.portfolio_risk.history import read_closes
from core.research.portfolio_risk.value_at_risk import (
    LEVELS,
    Method,
    Moments,
    cornish_fisher,
    estimate,
    in_domain,
    moments_of,
)
from core.research.portfolio_risk.var_backtest import WINDOW
from tests.data import days_of
from tests.kit.rows import cases

LIBRARY = {
    (Method.HISTORICAL, 0.95): (0.024474935, 0.041929833),
    (Method.HISTORICAL, 0.99): (0.048767199, 0.078295459),
    (Method.NORMAL, 0.95): (0.025719085, 0.032447200),
    (Method.NORMAL, 0.99): (0.036692092, 0.042148312),
    (Method.CORNISH_FISHER, 0.95): (0.026135412, 0.056897320),
    (Method.CORNISH_FISHER, 0.99): (0.073965617, 0.114842511),
}
"""VaR and shortfall of SPY's last 500 returns to 2021-03-31, fractions, rounded to nine places: historical by
empyrical-reloaded 0.7.1, normal by quantstats 0.0.86 and scipy 1.17.1, Cornish-Fisher by scipy's moments and quad."""


@pytest.fixture(scope="module")
def spy() -> np.ndarray:
    closes = np.array(read_closes(days_of("SPY"), Symbol("SPY")).adjusted)
    return closes[1:] / closes[:-1] - 1


def test_figures_are_those_of_libraries(spy: np.ndarray) -> None:
    """AN-02"""
    last = spy[-WINDOW:]
    found = {(method, level): estimate(method, last, moments_of(last), level) for method, level in LIBRARY}

    for key, (var, shortfall) in LIBRARY.items():
        assert (float(found[key].var), float(found[key].shortfall)) == pytest.approx((var, shortfall), abs=5.1e-10)


def test_horizons_scale_each_moment(spy: np.ndarray) -> None:
    """AN-02: the sum of ten independent days has √10 of the deviation and a tenth of the excess kurtosis"""
    rng = np.random.default_rng(5)
    day = moments_of(spy)
    sums = moments_of(rng.choice(spy, (400_000, 10)).sum(axis=1))
    scaled = day.over(10)

    assert float(scaled.deviation) == pytest.approx(float(sums.deviation), rel=0.01)
    assert float(scaled.skewness) == pytest.approx(float(sums.skewness), abs=0.06)
    assert float(scaled.excess) == pytest.approx(float(sums.excess), rel=0.2)


@given(st.floats(-6, 6), st.floats(-2, 60))
def test_quantiles_rise_within_the_domain(skewness: float, excess: float) -> None:
    """AN-02: whatever was measured, a higher level has a higher loss"""
    inside = in_domain(Moments(*(np.array(each) for each in (0.0, 1.0, skewness, excess))))
    again = in_domain(inside)

    losses = [float(cornish_fisher(inside, level).var) for level in np.linspace(0.001, 0.999, 400)]
    assert np.diff(losses).min() > -1e-9
    assert (float(again.skewness), float(again.excess)) == pytest.approx(
        (float(inside.skewness), float(inside.excess)), abs=1e-9
    )


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60), st.sampled_from(LEVELS), st.sampled_from(list(Method)))
def test_a_shortfall_is_at_least_the_var(profits: list[float], level: float, method: Method) -> None:
    """AN-02"""
    series = np.array(profits)
    found = estimate(method, series, moments_of(series), level)

    assert float(found.shortfall) >= float(found.var) - 1e-6 * max(1.0, float(np.abs(series).max()))


@cases("each", 0.0, 12.5, -3.0)
def test_constant_profits_have_no_spread(each: float) -> None:
    """AN-02"""
    series = np.full(300, each)
    for method in Method:
        found = estimate(method, series, moments_of(series), 0.99)
        assert (float(found.var), float(found.shortfall)) == pytest.approx((-each, -each))
