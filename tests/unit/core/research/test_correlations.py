"""Correlations and their stress (AN-02)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.research.portfolio_risk.correlations import blended, correlation_matrix, correlation_stresses
from core.research.portfolio_risk.scenario_file import Stress

RISING = [Stress("half", 0.9, 0.5, 1.0), Stress("all", 0.9, 1.0, 1.0)]


@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0, 1), st.floats(0, 1))
def test_a_stressed_matrix_stays_possible(seed: int, symbols: int, target: float, weight: float) -> None:
    """AN-02: positive semidefinite, with a diagonal of 1"""
    returns = np.random.default_rng(seed).normal(size=(symbols + 2, symbols))

    found = blended(correlation_matrix(returns), target, weight)

    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert np.diag(found) == pytest.approx(1)


def test_recorded_correlations_give_normal_var() -> None:
    """AN-02: the first row is the VaR of the profits themselves"""
    returns = np.random.default_rng(1).multivariate_normal([0.001, 0], [[4e-4, 1e-4], [1e-4, 1e-4]], 500)
    values = np.array([1000.0, -700.0])
    profits = returns @ values

    stresses = correlation_stresses(values, returns, [])

    assert stresses[0].var[1] == pytest.approx(2.3263478740 * profits.std(ddof=1) - profits.mean())


def test_stress_helps_a_hedge_and_hurts_longs() -> None:
    """AN-02"""
    returns = np.random.default_rng(1).normal(0, 0.01, (500, 2))
    hedged, long = (correlation_stresses(np.array([1000.0, other]), returns, RISING) for other in (-1000.0, 1000.0))

    assert [each.stress.way for each in hedged] == [0, 0.5, 1]
    assert [each.stress.way for each in long] == [0, 1, 0.5]
    assert all(each.by_correlation < 1 for each in hedged[1:])
    assert all(each.by_correlation > 1 for each in long[1:])


def test_a_stress_raises_the_volatility_too() -> None:
    """AN-02: by hand: deviations of 10 and 20 USD; 3 times √(100 + 400 + 2 · 0.9 · 200) is 87.98; the mean stays"""
    once = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * np.sqrt(3) / 2
    values, returns = np.array([1000.0, 1000.0]), 0.001 + once * [0.01, 0.02]

    _, found = correlation_stresses(values, returns, [Stress("crisis", 0.9, 1.0, 3.0)])

    assert found.var == pytest.approx([1.6448536 * 87.977 - 2, 2.3263479 * 87.977 - 2], abs=0.01)
    assert found.shortfall == pytest.approx([2.0627128 * 87.977 - 2, 2.6652142 * 87.977 - 2], abs=0.01)
    assert found.by_correlation == pytest.approx((860 / 500) ** 0.5)


def test_a_constant_symbol_has_no_correlation() -> None:
    """AN-02"""
    returns = np.column_stack([np.random.default_rng(1).normal(0, 0.01, 300), np.zeros(300)])

    assert np.isnan(correlation_matrix(returns)).tolist() == [[False, True], [True, True]]
    assert all(np.isfinite(each.var).all() for each in correlation_stresses(np.array([5.0, 5.0]), returns, RISING))
