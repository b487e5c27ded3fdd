"""The measures of thirteen years of SPY, against numpy and plain sums from the closes on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.analytics.metrics import deepest, longest_under_water, rolling
from core.market.calendar import load_calendar
from docs.measures import FIRST_EQUITY, REQUIRED, RULES, closes, equity_of, ours
from tests.kit.rows import table

Array = np.ndarray[tuple[int], np.dtype[np.float64]]


def plain(rule: str) -> tuple[Array, list[float]]:
    """The equity of each close and the profit of each trade, session by session."""
    prices = [float(price) for price in closes()]
    equity, trades, entered = [FIRST_EQUITY], [], None
    if rule == "buy and hold":
        worth = FIRST_EQUITY / prices[0] * np.asarray(prices)
        return worth, [worth[-1] - worth[0]]
    for number in range(1, len(prices)):
        is_held = number >= 200 and prices[number - 1] > math.fsum(prices[number - 200 : number]) / 200
        if is_held and entered is None:
            entered = equity[-1]
        if not is_held and entered is not None:
            trades.append(equity[-1] - entered)
            entered = None
        equity.append(equity[-1] * prices[number] / prices[number - 1] if is_held else equity[-1])
    return np.asarray(equity), trades if entered is None else [*trades, equity[-1] - entered]


def test_the_closes_are_those_of_every_session() -> None:
    """AN-01: a missing one would make two returns one"""
    days = [day.date() for day in closes().index]

    assert days == [each.day for each in load_calendar(days[0], days[-1]).sessions() if each.day <= days[-1]]


@table("rule", *RULES)
def test_measures_of_spy_match_numpy(rule: str) -> None:
    """AN-01"""
    equity, trades = plain(rule)
    profits = np.asarray(trades)
    r = equity[1:] / equity[:-1] - 1
    root, deviation = np.sqrt(252), r.std(ddof=1)
    below = 1 - equity / np.maximum.accumulate(equity)
    growth = np.exp(np.log(equity[-1] / equity[0]) * 252 / len(r)) - 1
    required = np.expm1(np.log1p(REQUIRED) / 252)
    windows = np.lib.stride_tricks.sliding_window_view(r, 63)
    spread = windows.std(axis=1, ddof=1)
    moves = np.ptp(windows, axis=1) > 0
    sharpes = windows[moves].mean(axis=1) / spread[moves] * root
    parts = np.lib.stride_tricks.sliding_window_view(equity, 64)
    gains, losses = profits[profits > 0], -profits[profits < 0]

    assert ours(rule) == {
        "total_return": pytest.approx(equity[-1] / equity[0] - 1),
        "yearly_return": pytest.approx(growth),
        "volatility": pytest.approx(deviation * root),
        "sharpe": pytest.approx(r.mean() / deviation * root),
        "sortino": pytest.approx(r.mean() / np.sqrt(np.square(np.minimum(r, 0)).mean()) * root),
        "calmar": pytest.approx(growth / below.max()),
        "omega": pytest.approx(np.maximum(r, 0).sum() / np.maximum(-r, 0).sum()),
        "omega_5_percent": pytest.approx(np.maximum(r - required, 0).sum() / np.maximum(required - r, 0).sum()),
        "max_drawdown": pytest.approx(below.max()),
        "drawdown_length": _length(equity),
        "longest_under_water": max(len(run) for run in "".join("-x"[int(each > 0)] for each in below).split("-")),
        "rolling_sharpe_last": pytest.approx(sharpes[-1]),
        "rolling_sharpe_min": pytest.approx(sharpes.min()),
        "rolling_sharpe_max": pytest.approx(sharpes.max()),
        "rolling_volatility_last": pytest.approx(spread[-1] * root),
        "rolling_max_drawdown": pytest.approx((1 - parts / np.maximum.accumulate(parts, axis=1)).max()),
        "win_rate_days": pytest.approx(np.count_nonzero(r > 0) / len(r)),
        "profit_factor_days": pytest.approx(r[r > 0].sum() / -r[r < 0].sum()),
        "trades": len(trades),
        "win_rate": pytest.approx(len(gains) / len(profits)),
        "profit_factor": pytest.approx(gains.sum() / losses.sum()) if len(losses) else None,
        "expectancy": pytest.approx((gains.sum() - losses.sum()) / len(profits)),
    }


@table("rule", *RULES)
def test_rolling_measures_of_spy_match_numpy(rule: str) -> None:
    """AN-01: a quarter in cash has no Sharpe, and the figures after it are not blurred by it"""
    equity, rolled = plain(rule)[0], rolling(equity_of(rule))
    windows = np.lib.stride_tricks.sliding_window_view(equity[1:] / equity[:-1] - 1, 63)
    moves = np.ptp(windows, axis=1) > 0
    sharpes = windows[moves].mean(axis=1) / windows[moves].std(axis=1, ddof=1) * np.sqrt(252)

    assert list(rolled["sharpe"].isna()) == list(~moves)
    assert np.allclose(rolled["sharpe"][moves], sharpes, rtol=1e-9, atol=1e-9)
    assert np.allclose(rolled["total_return"], equity[63:] / equity[:-63] - 1)
    assert np.allclose(rolled["volatility"], windows.std(axis=1, ddof=1) * np.sqrt(252), rtol=1e-9, atol=1e-12)
    parts = np.lib.stride_tricks.sliding_window_view(equity, 64)
    assert np.allclose(rolled["max_drawdown"], (1 - parts / np.maximum.accumulate(parts, axis=1)).max(axis=1))


@table(
    "rule peak trough recovered",
    ("buy and hold", "2008-01-02", "2009-03-09", "2012-09-13"),
    ("SMA 200", "2020-02-19", "2020-06-26", "2021-01-07"),
)
def test_the_deepest_drawdown_is_that_of_the_crisis(rule: str, peak: str, trough: str, recovered: str) -> None:
    """AN-01"""
    fall = deepest(equity_of(rule))

    assert fall is not None
    assert [str(day)[:10] for day in (fall.peak, fall.trough, fall.recovered)] == [peak, trough, recovered]
    assert longest_under_water(equity_of(rule)) >= fall.sessions - 1


def _length(equity: Array) -> int:
    trough = int(np.argmax(1 - equity / np.maximum.accumulate(equity)))
    peak = int(np.argmax(equity[:trough]))
    return int(np.argmax(equity[trough:] >= equity[peak])) + trough - peak
