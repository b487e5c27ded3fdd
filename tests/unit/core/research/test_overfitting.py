"""The probability of overfitting: another library's figures, a plain second way, and degenerate runs."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

from core.research.sweeps.overfitting import overfitting


def noise(days: int, runs: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (days, runs))


def by_loops(returns: np.ndarray, blocks: int) -> float:
    """The same, split by split and run by run."""
    days, runs = returns.shape
    length = days // blocks
    parts = [returns[days - length * (blocks - at) : days - length * (blocks - at - 1)] for at in range(blocks)]
    below = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside, outside = (
            [ratio(np.concatenate([parts[at] for at in half])[:, run]) for run in range(runs)]
            for half in (chosen, [at for at in range(blocks) if at not in chosen])
        )
        best = [run for run in range(runs) if inside[run] == max(inside)]
        rank = fmean(
            sum(each < outside[run] for each in outside) + (sum(each == outside[run] for each in outside) + 1) / 2
            for run in best
        )
        below.append(rank / (runs + 1) <= 0.5)
    return fmean(below)


def ratio(returns: np.ndarray) -> float:
    return round(float(returns.mean() / returns.std(ddof=1)), 9) if returns.any() else 0.0


def test_figures_of_risklabai() -> None:
    """AN-05: RiskLabAI 2.0.1 on the same returns, 12,870 splits"""
    found = overfitting(noise(320, 20))

    assert found is not None
    assert found.probability == pytest.approx(0.5621600621600622, rel=1e-15)
    assert (found.splits, found.days) == (12_870, 320)


def test_a_second_way_gives_the_same() -> None:
    """AN-05: with equal runs, a run that never trades, and days that fill no block"""
    returns = noise(87, 6, seed=3)
    returns[:, 4], returns[:, 5] = returns[:, 1], 0

    found = overfitting(returns, 8)

    assert found is not None
    assert found.probability == pytest.approx(by_loops(returns, 8))
    assert 0 < found.probability < 1
    assert found.days == 80


def test_the_order_of_the_runs_is_no_matter() -> None:
    """AN-05"""
    returns = np.hstack([noise(160, 5), noise(160, 5), np.zeros((160, 2))])

    assert overfitting(returns, 8) == overfitting(returns[:, ::-1], 8)


def test_skill_is_not_taken_for_overfitting() -> None:
    """AN-05"""
    returns = noise(800, 12)
    returns[:, 3] += 0.003

    found = overfitting(returns)

    assert found is not None
    assert found.probability < 0.01
    assert found.loss < 0.01


def test_equal_runs_are_at_the_median() -> None:
    """AN-05: nothing distinguishes the best one"""
    found = overfitting(np.tile(noise(160, 1), 4), 8)

    assert found is not None
    assert found.probability == 1


def test_one_run_or_few_days_have_no_figure() -> None:
    """AN-05"""
    assert overfitting(noise(160, 1)) is None
    assert overfitting(noise(31, 3)) is None
    assert overfitting(noise(32, 3)) is not None
