"""The backtest of value at risk and its tests, equal to scipy's figures (AN-02)."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.values import Symbol
from core.research.portfolio_risk.history import read_closes
from core.research.portfolio_risk.value_at_risk import Method
from core.research.portfolio_risk.var_backtest import backtest_of, backtests
from tests.data import days_of

SPY = {
    (Method.HISTORICAL, 0.95): (138, 0.748794094, 0.000000465, 0.000002891),
    (Method.HISTORICAL, 0.99): (41, 0.025061463, 0.000001015, 0.000000525),
    (Method.NORMAL, 0.95): (145, 0.776878718, 0.000000035, 0.000000242),
    (Method.NORMAL, 0.99): (74, 0.000000000, 0.000002063, 0.000000000),
    (Method.CORNISH_FISHER, 0.95): (142, 0.979378457, 0.000020206, 0.000113328),
    (Method.CORNISH_FISHER, 0.99): (26, 0.654147655, 0.001342330, 0.005289395),
}
"""Losses of SPY over the VaR of the 500 days before, 2008 to 2021, and the p-values of coverage, independence and both,
from scipy 1.17.1 (chi2.sf, chi2_contingency with the log-likelihood ratio)."""


def test_spy_fails_and_passes_as_in_scipy() -> None:
    """AN-02"""
    closes = np.array(read_closes(days_of("SPY"), Symbol("SPY")).adjusted)

    found = backtests(closes[1:] / closes[:-1] - 1)

    assert {each.days for each in found} == {2834}
    for each in found:
        assert each.independence is not None
        assert each.conditional is not None
        p_values = [test.p_value for test in (each.coverage, each.independence, each.conditional)]
        assert (each.violations, *p_values) == pytest.approx(SPY[each.method, each.level], abs=5.1e-10)


def test_losses_in_a_row_fail_independence() -> None:
    """AN-02: ten losses in a row, and ten spread over the same days"""
    in_a_row, spread = np.zeros(200, bool), np.zeros(200, bool)
    in_a_row[50:60] = True
    spread[::20] = True

    first, second = (backtest_of(Method.NORMAL, 0.95, each) for each in (in_a_row, spread))

    assert first.coverage == second.coverage
    assert first.coverage.p_value == pytest.approx(1.0)
    assert first.independence is not None
    assert second.independence is not None
    assert first.independence.p_value < 1e-9
    assert second.independence.p_value > 0.2


def test_no_loss_leaves_independence_open() -> None:
    """AN-02: the likelihood ratio of no loss in n days is -2 n log(level)"""
    found = backtest_of(Method.NORMAL, 0.99, np.zeros(250, bool))

    assert found.coverage.ratio == pytest.approx(-2 * 250 * np.log(0.99))
    assert (found.independence, found.conditional) == (None, None)
    assert backtest_of(Method.NORMAL, 0.99, np.ones(10, bool)).coverage.p_value < 1e-9


def test_a_loss_counts_against_earlier_days_alone() -> None:
    """AN-02: the loss of the last day is over the VaR of the calm days before it"""
    calm = np.tile([0.01, -0.01], 250)

    assert backtests(calm) == ()
    assert {each.violations for each in backtests(np.append(calm, -1.0))} == {1}
    assert {each.violations for each in backtests(np.append(calm, 0.5))} == {0}
    assert {each.violations for each in backtests(np.full(510, -1.0))} == {0}
