"""Correlations and their stress (AN-02)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.research.portfolio_risk.correlations import blended, correlation_matrix, correlation_stress


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

    stresses = correlation_stress(values, returns)

    assert stresses[0].var[1] == pytest.approx(2.3263478740 * profits.std(ddof=1) - profits.mean())


def test_stress_helps_a_hedge_and_hurts_longs() -> None:
    """AN-02"""
    returns = np.random.default_rng(1).normal(0, 0.01, (500, 2))
    hedged, long = (correlation_stress(np.array([1000.0, other]), returns) for other in (-1000.0, 1000.0))

    assert hedged[2].var[0] < hedged[1].var[0] < hedged[0].var[0]
    assert long[2].var[0] > long[1].var[0] > long[0].var[0]


def test_a_constant_symbol_has_no_correlation() -> None:
    """AN-02"""
    returns = np.column_stack([np.random.default_rng(1).normal(0, 0.01, 300), np.zeros(300)])

    assert np.isnan(correlation_matrix(returns)).tolist() == [[False, True], [True, True]]
    assert all(np.isfinite(each.var).all() for each in correlation_stress(np.array([5.0, 5.0]), returns))
