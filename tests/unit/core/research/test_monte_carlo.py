"""Paths in blocks of recorded days, and the regimes that they are drawn from (AN-02)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from core.model.sizing import DailyValue, VixLevel
from core.research.portfolio_risk.monte_carlo import Episodes, regimes_before, simulated_profits

MONDAY = date(2020, 3, 2)


def test_a_seed_repeats_its_paths() -> None:
    """AN-02"""
    values, returns = np.array([100.0, -50.0]), np.random.default_rng(3).normal(0, 0.01, (300, 2))

    first, again, other = (simulated_profits(values, returns, days=10, seed=seed) for seed in (7, 7, 8))

    assert first.shape == (10_000,)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_paths_are_runs_of_recorded_days() -> None:
    """AN-02: nine days in ten are followed by the day after; of the others one in five is, and one in five before"""
    returns = (10.0 ** np.arange(5))[:, None]
    pairs = {float((1 + returns[at, 0]) * (1 + returns[(at + 1) % 5, 0]) - 1) for at in range(5)}

    profits = simulated_profits(np.array([1.0]), returns, days=2, seed=1)

    assert np.isin(profits, list(pairs)).mean() == pytest.approx(0.9 + 2 * 0.1 / 5, abs=0.01)


def test_every_day_is_drawn_equally_often() -> None:
    """AN-02: also the first and the last"""
    returns = (10.0 ** np.arange(5))[:, None]

    profits = simulated_profits(np.array([1.0]), returns, days=1, seed=1, paths=50_000)

    _, counts = np.unique(profits, return_counts=True)
    assert counts == pytest.approx(np.full(5, 10_000), rel=0.05)


def test_a_day_begins_with_the_level_before_it() -> None:
    """AN-02, RK-19: its own close is not known yet; a point under a border before the lower level counts"""
    levels = ("14", "31", "29.5", "28.9")
    vix = [DailyValue(MONDAY + timedelta(days=at), Decimal(value)) for at, value in enumerate(levels)]

    found = regimes_before([each.day for each in vix] + [MONDAY + timedelta(days=9)], vix)

    assert found == [None, VixLevel.LOW, VixLevel.HIGH, VixLevel.HIGH, VixLevel.ELEVATED]


def test_no_block_leaves_its_episode() -> None:
    """AN-02: days 3 to 5 and 20 to 21; days 5 and 20 were no neighbours, so only a new block joins them.

    A block begins on the first day of an episode ten times as often as on another: 1 and 0.1 of 2.3.
    """
    returns = (10.0 ** np.arange(5))[:, None]

    profits = simulated_profits(
        np.array([1.0]), returns, days=2, seed=3, paths=200_000, episodes=Episodes([3, 4, 5, 20, 21])
    )

    def both(one: int, other: int) -> float:
        made = (1 + returns[one, 0]) * (1 + returns[other, 0]) - 1
        return float(np.isclose(profits, made, rtol=1e-9).mean())

    first, another = 1 / 2.3, 0.1 / 2.3
    assert both(0, 1) == pytest.approx(0.2 * (0.9 + 0.1 * another) + 0.2 * 0.1 * first, abs=0.004)
    assert both(2, 3) == pytest.approx(0.2 * first + 0.2 * 0.1 * another, abs=0.004)
    assert both(4, 0) == pytest.approx(0.2 * first + 0.2 * 0.1 * another, abs=0.004)


def test_every_day_of_an_episode_is_drawn_equally_often() -> None:
    """AN-02: the last day of each path, of episodes of one, two and seven days"""
    places = [1, 5, 6, 10, 11, 12, 13, 14, 15, 16]
    for days in (1, 2, 10):
        returns = np.zeros((len(places), 1))
        counts = []
        for place in range(len(places)):
            returns[:, 0] = 0
            returns[place, 0] = 1
            profits = simulated_profits(
                np.array([1.0]), returns, days=days, seed=5, paths=20_000, episodes=Episodes(places)
            )
            counts.append(float(np.log2(1 + profits).sum()) / 20_000 / days)
        assert counts == pytest.approx([1 / len(places)] * len(places), abs=0.01)
