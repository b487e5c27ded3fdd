"""The measures of a backtest, against figures that were worked out by hand."""

from __future__ import annotations

import math
from array import array
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.metrics import (
    Drawdown,
    calmar,
    cent_of,
    deepest,
    drawdowns,
    expectancy,
    framed,
    longest_under_water,
    mean_gain,
    mean_loss,
    metrics,
    omega,
    profit_factor,
    returns_of,
    rolling,
    sharpe,
    sortino,
    win_rate,
    yearly,
)
from core.analytics.presentation import ROLLING, of_few_sessions, told
from core.analytics.windows import DayOfEquity
from core.research.sweeps.results import RunResult, daily_sharpe
from tests.kit.rows import table

FIRST = date(2024, 1, 1)


def a_series(*equities: float) -> pd.Series:
    days = [DayOfEquity(FIRST + timedelta(days=number), equity) for number, equity in enumerate(equities)]
    return framed(days)["equity"]


def a_run(equity: pd.Series) -> RunResult:
    """The result of a sweep's backtest with these closes."""
    return RunResult(Decimal(0), "", "", None, array("i"), (), tuple(equity.index), array("d", equity))


def test_sharpe_and_sortino_match_plain_sums() -> None:
    """AN-01, AN-04"""
    equities = [100.0, 102.0, 101.0, 105.0, 103.0, 104.0, 108.0, 107.0]
    plain = [after / before - 1 for before, after in pairwise(equities)]
    returns = returns_of(a_series(*equities))

    assert list(returns) == pytest.approx(plain)
    assert sharpe(returns) == pytest.approx(fmean(plain) / stdev(plain) * math.sqrt(252))
    downside = math.sqrt(fmean(min(each, 0.0) ** 2 for each in plain))
    assert sortino(returns) == pytest.approx(fmean(plain) / downside * math.sqrt(252))


@pytest.mark.parametrize("is_rounded", [False, True])
@pytest.mark.parametrize(
    ("first", "last"), [(10_000, 11_275), (100, 1e6), (1e6, 100), (0.5, 1e4), (200, 200.02), (1e5, 1e5), (5, 1e9)]
)
def test_constant_returns_have_no_sharpe_ratio(first: float, last: float, is_rounded: bool) -> None:
    """AN-01: what is left is the arithmetic's rounding, or that of an account which is told to the cent"""
    exact = [first * (last / first) ** (number / 299) for number in range(300)]
    equity = a_series(*(round(each, 2) if is_rounded else each for each in exact))
    series = [DayOfEquity(day, float(each)) for day, each in equity.items()]
    found = metrics(series, [])

    assert (found["sharpe"], found["sortino"]) == (None, None)
    assert rolling(equity)["sharpe"].isna().all()
    assert daily_sharpe(returns_of(equity).to_numpy(), cent_of(equity)) is None


def test_returns_of_a_few_cents_have_a_sharpe_ratio() -> None:
    """AN-01: of a small account, whose trades make ten cents each"""
    equity = a_series(*(200 + 0.1 * (number // 10 - number // 20) - 0.05 * (number % 20 == 7) for number in range(300)))
    returns = returns_of(equity)

    assert sharpe(returns, cent_of(equity)) == pytest.approx(fmean(returns) / stdev(returns) * math.sqrt(252))
    result = a_run(equity)
    assert result.cent == pytest.approx(cent_of(equity), rel=1e-12)
    assert daily_sharpe(result.returns, result.cent) == pytest.approx(fmean(returns) / stdev(returns))


@table("threshold", 0.0, 0.01)
def test_omega_is_what_numpy_works_out(threshold: float) -> None:
    """AN-01"""
    returns = returns_of(a_series(100, 102, 101, 105, 103, 104, 108, 107))
    plain = np.asarray(returns)

    gained, lost = np.maximum(plain - threshold, 0).sum(), np.maximum(threshold - plain, 0).sum()
    assert omega(returns, threshold) == pytest.approx(gained / lost)
    assert omega(returns_of(a_series(100, 101, 102))) is None


def test_rolling_figures_are_of_their_window_alone() -> None:
    """AN-01: by numpy, window by window"""
    equities = np.cumprod(1 + np.random.default_rng(7).normal(0.0005, 0.01, 100)) * 1000
    rolled = rolling(a_series(*equities), 63)

    assert len(rolled) == 100 - 63
    for number, (day, row) in enumerate(rolled.iterrows()):
        window = equities[number : number + 64]
        returns = window[1:] / window[:-1] - 1
        assert day == FIRST + timedelta(days=number + 63)
        assert row["total_return"] == pytest.approx(window[-1] / window[0] - 1)
        assert row["volatility"] == pytest.approx(returns.std(ddof=1) * np.sqrt(252))
        assert row["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252))
        assert row["max_drawdown"] == pytest.approx((1 - window / np.maximum.accumulate(window)).max())
    assert rolling(a_series(1, 2, 3), 63).empty
    assert rolling(a_series(*[100.0] * 70), 63)["sharpe"].isna().all()


def test_all_windows_match_each_alone() -> None:
    """AN-01: a naive walk with numpy; many alike, a fall to nothing, and a window of one return"""
    chance = np.random.default_rng(11)
    equities = np.concatenate([chance.integers(1, 9, 200).astype(float), [0.0, 0.0, 5.0, 4.0], np.full(40, 3.0)])
    for sessions in (1, 7, 63):
        found = rolling(a_series(*equities), sessions)["max_drawdown"].to_numpy()
        windows = [equities[n - sessions : n + 1] for n in range(sessions, len(equities))]
        with np.errstate(invalid="ignore", divide="ignore"):
            tops = [np.maximum.accumulate(window) for window in windows]
            naive = [np.where(top > 0, 1 - w / top, 0.0).max() for w, top in zip(windows, tops, strict=True)]
        assert np.abs(found - naive).max() < 1e-9


def test_a_missing_close_makes_no_return() -> None:
    """AN-01: two returns are not told as one, and a drawdown goes on over it"""
    series = a_series(100, 120, math.nan, 90, 99, 98, 96)

    assert list(returns_of(series)) == pytest.approx([0.2, 0.1, 98 / 99 - 1, 96 / 98 - 1])
    for name, figures in rolling(series, 2).items():
        assert list(figures.isna()) == [True, True, True, False, False], name
    assert list(drawdowns(series)) == pytest.approx([0, 0, 0, 0.25, 1 - 99 / 120, 1 - 98 / 120, 1 - 96 / 120])
    fall = deepest(series)
    assert fall is not None
    assert fall.depth == pytest.approx(0.25)
    assert fall.sessions == 5


def test_a_drawdown_has_depth_dates_and_length() -> None:
    """AN-01: the deepest one is from 120 to 90; the later one, from 130 to 110, is none of it."""
    fall = deepest(a_series(100, 120, 110, 90, 115, 121, 130, 110))

    assert fall is not None
    assert fall.depth == pytest.approx(0.25)
    assert (fall.peak, fall.trough, fall.recovered) == (date(2024, 1, 2), date(2024, 1, 4), date(2024, 1, 6))
    assert fall.sessions == 4


def test_an_open_drawdown_lasts_to_the_end() -> None:
    """AN-01"""
    series = a_series(100, 120, 110, 100, 105)
    fall = deepest(series)

    assert fall is not None
    assert (fall.recovered, fall.sessions) == (None, 3)
    assert longest_under_water(series) == 3


def test_win_rate_and_profit_factor_of_trades() -> None:
    """AN-04"""
    profits = pd.Series([10.0, -4.0, 6.0, -4.0])

    assert profit_factor(profits) == 2.0
    assert win_rate(profits) == 0.5
    assert expectancy(profits) == 2.0
    assert (mean_gain(profits), mean_loss(profits)) == (8.0, -4.0)


def test_a_trade_of_zero_is_neither_gain_nor_loss() -> None:
    """AN-01: missing, not zero"""
    assert (mean_gain(pd.Series([6.0, 0.0])), mean_loss(pd.Series([6.0, 0.0]))) == (6.0, None)
    assert (mean_gain(pd.Series([0.0, -6.0])), mean_loss(pd.Series([0.0, -6.0]))) == (None, -6.0)


def test_yearly_growth_counts_252_sessions() -> None:
    """AN-01"""
    series = a_series(*(100 * 1.1 ** (day / 252) for day in range(505)))

    assert yearly(series) == pytest.approx(0.1)
    assert calmar(series) is None  # it never fell


def test_undefined_measures_are_none() -> None:
    """AN-04"""
    assert sharpe(pd.Series([0.01])) is None
    assert sharpe(pd.Series([0.1, 0.1, 0.1])) is None
    assert sortino(pd.Series([0.01, 0.02])) is None
    assert profit_factor(pd.Series([1.0])) is None
    assert win_rate(pd.Series([], dtype=float)) is None
    assert deepest(a_series(1, 2, 3)) is None
    found = metrics([], [])
    assert (found["sharpe"], found["win_rate"], found["total_return"]) == (None, None, None)


def test_nothing_is_annualised_under_a_quarter() -> None:
    """AN-01: 62 daily returns are not annualized, 63 are."""
    closes = [100.0 + number % 5 + number for number in range(ROLLING + 1)]
    series = [DayOfEquity(date(2026, 1, 1) + timedelta(days=n), each) for n, each in enumerate(closes)]
    yearly = ("yearly_return", "sharpe", "sortino", "calmar")

    few, enough = metrics(series[:-1], []), metrics(series, [])

    assert [few[name] for name in yearly] == [None] * 4
    assert few["total_return"] is not None
    assert None not in [enough[name] for name in yearly]
    assert of_few_sessions(few)
    assert not of_few_sessions(enough)


def test_a_gain_of_fills_is_price_improvement() -> None:
    """AN-01"""
    assert ("price improvement, USD", "27.20") in told({"slippage": -27.2})
    assert ("slippage (+ lost), USD", "0.40") in told({"slippage": 0.4})


@settings(max_examples=24)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_drawdowns_match_a_plain_walk(equities: list[int]) -> None:
    """AN-01: few different values, so that peaks and falls are often alike."""
    series = a_series(*equities)
    tops = list(accumulate(equities, max))
    below = [1 - each / top for each, top in zip(equities, tops, strict=True)]
    fall = deepest(series)

    assert list(drawdowns(series)) == below
    assert longest_under_water(series) == max(map(len, "".join("-x"[each > 0] for each in below).split("-")))
    if not any(below):
        assert fall is None
        return
    trough = below.index(max(below))
    peak = max(n for n in range(trough) if equities[n] == tops[trough])
    back = next((n for n in range(trough, len(equities)) if equities[n] >= tops[trough]), None)
    days = [FIRST + timedelta(days=n) for n in range(len(equities))]
    last = len(equities) - 1 if back is None else back
    assert fall == Drawdown(below[trough], days[peak], days[trough], None if back is None else days[back], last - peak)
