"""Sharpe ratios against luck: the published example, another library's figures, and undefined cases."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from core.analytics.metrics import framed, returns_of, sharpe
from core.analytics.windows import DayOfEquity
from core.research.sweeps.deflated_sharpe import deflated_sharpe, expected_maximum_sharpe, probabilistic_sharpe
from core.research.sweeps.results import daily_sharpe
from tests.kit.rows import table

NO_TRIALS = np.array([])


def some_returns() -> np.ndarray:
    return np.random.default_rng(7).standard_t(4, 500) * 0.01 + 0.0005


def test_the_published_example() -> None:
    """AN-05: Bailey and López de Prado (2014), 2.5 a year over 1,250 days, 100 trials of variance 0.5 a year"""
    benchmark = expected_maximum_sharpe(0.5 / 250, 100)

    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(2.5 / math.sqrt(250), 1250, -3, 10, benchmark) == pytest.approx(0.9004, abs=5e-5)


def test_figures_of_risklabai_and_scipy() -> None:
    """AN-05: RiskLabAI 2.0.1 with the skewness and kurtosis of scipy 1.17.1, on the same returns"""
    found = deflated_sharpe(some_returns(), np.array([0.01, 0.05, -0.02, 0.03]), 4)

    assert found is not None
    assert (found.sharpe, found.skewness, found.kurtosis) == pytest.approx(FIGURES[:3], rel=1e-12)
    assert (found.expected_maximum, found.probabilistic, found.deflated) == pytest.approx(FIGURES[3:], rel=1e-12)


FIGURES = (
    -0.049194486689543133,
    0.0003839857652481689,
    5.457234247536588,
    0.03141721672086123,
    0.1362261878443352,
    0.03606561358518715,
)
"""Sharpe ratio, skewness, kurtosis, expected maximum, probabilistic and deflated Sharpe ratio."""


def test_the_daily_ratio_is_that_of_the_measures() -> None:
    """AN-01, AN-05"""
    equity = np.cumprod(np.concatenate([[1000.0], 1 + some_returns()]))
    days = [DayOfEquity(date(2024, 1, 1) + timedelta(days=number), worth) for number, worth in enumerate(equity)]
    yearly = sharpe(returns_of(framed(days)["equity"]))

    assert yearly is not None
    assert daily_sharpe(some_returns()) == pytest.approx(yearly / math.sqrt(252), rel=1e-9)


def test_more_trials_deflate_more() -> None:
    """AN-05"""
    trials = np.array([0.0, 0.1])
    found = [deflated_sharpe(some_returns(), trials, many) for many in (2, 10, 1000)]
    deflated = [each.deflated for each in found if each is not None]

    assert deflated == sorted(deflated, reverse=True)
    assert len(set(deflated)) == 3


def test_one_trial_needs_no_deflation() -> None:
    """AN-05"""
    found = deflated_sharpe(some_returns(), np.array([0.05]), 1)

    assert found is not None
    assert found.expected_maximum == 0
    assert found.deflated == found.probabilistic


@table("returns", [], [0.01], [0.01] * 9, [0.0] * 9, [0.1 + 0.2] * 9)
def test_undefined_ratios_have_no_figure(returns: list[float]) -> None:
    """AN-05: none, one, and equal returns"""
    assert daily_sharpe(np.array(returns)) is None
    assert deflated_sharpe(np.array(returns), NO_TRIALS, 1) is None


def test_a_deviation_of_a_cent_has_no_figure() -> None:
    """AN-05"""
    returns = np.array([0.01, 0.0101] * 50)

    assert deflated_sharpe(returns, NO_TRIALS, 1, 0.00001) is not None
    assert deflated_sharpe(returns, NO_TRIALS, 1, 0.0001) is None


def test_an_impossible_variance_has_no_figure() -> None:
    """AN-05"""
    assert probabilistic_sharpe(1.0, 100, 3.0, 1.0) is None
    assert probabilistic_sharpe(0.1, 1, 0.0, 3.0) is None
