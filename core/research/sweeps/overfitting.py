"""The probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

The days are cut into S equal blocks. For each choice of half of them, the best run of that half is looked up in the
other half. Overfitting is likely where the best of one half is often below the median of the other.

D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, "The Probability of Backtest Overfitting", Journal of
Computational Finance (2015). Of equal runs none is preferred: the mean of their ranks counts.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.research.sweeps.results import Floats

BLOCKS = 16
"""The number of blocks in the paper's example: 12,870 splits."""
AT_ONCE = 2_000_000
"""Figures held at once: splits times runs."""


@dataclass(frozen=True, slots=True)
class Overfitting:
    """The result over all splits.

    Attributes
    ----------
    probability
        The fraction of splits, 0 to 1, whose best run is at or below the median outside of its half.
    loss
        The fraction of splits whose best run has a Sharpe ratio below zero outside of its half.
    days
        The days in the blocks: the oldest that do not fill a block are left out.
    """

    probability: float
    loss: float
    blocks: int
    splits: int
    days: int
    runs: int


def overfitting(returns: Floats, blocks: int = BLOCKS) -> Overfitting | None:
    """Return the probability of overfitting by Sharpe ratios; None for fewer than two runs or two days a block.

    Parameters
    ----------
    returns
        Daily returns, shape (days, runs). A run that never trades has the Sharpe ratio 0.
    blocks
        An even number.
    """
    whole, runs = returns.shape
    length = whole // blocks
    if runs < 2 or length < 2:  # noqa: PLR2004
        return None
    cut = returns[whole - length * blocks :].reshape(blocks, length, runs)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    below = losses = 0
    for chosen in np.array_split(halves, -(-len(halves) * runs // AT_ONCE)):
        inside, outside = (
            _sharpes(sums[half].sum(axis=1), squares[half].sum(axis=1), length * blocks // 2)
            for half in (chosen, _others(chosen, blocks))
        )
        is_best = inside == inside.max(axis=1, keepdims=True)
        ranks = _mean_ranks(outside)
        weights = is_best / is_best.sum(axis=1, keepdims=True)
        below += int(((ranks * weights).sum(axis=1) * 2 <= runs + 1).sum())
        losses += int(((outside * weights).sum(axis=1) < 0).sum())
    splits = len(halves)
    return Overfitting(below / splits, losses / splits, blocks, splits, length * blocks, runs)


def _others(chosen: np.ndarray, blocks: int) -> np.ndarray:
    """Return the other half of each split, shape (splits, blocks / 2)."""
    is_other = np.ones((len(chosen), blocks), dtype=bool)
    np.put_along_axis(is_other, chosen, values=False, axis=1)
    return np.nonzero(is_other)[1].reshape(len(chosen), -1)


def _sharpes(sums: Floats, squares: Floats, days: int) -> Floats:
    """Return the Sharpe ratios from sums of returns and of their squares, 0 for constant returns.

    Rounded, so that equal runs stay equal whatever the order of the sums.
    """
    mean, raw = sums / days, squares / days
    variance = (raw - mean**2) * days / (days - 1)
    is_constant = variance <= 1e-12 * raw
    found: Floats = np.divide(mean, np.sqrt(np.abs(variance)), out=np.zeros(sums.shape), where=~is_constant)
    return np.asarray(found.round(9), dtype=np.float64)


def _mean_ranks(figures: Floats) -> Floats:
    """Return the rank of each figure in its row, 1 the lowest; equal figures share the mean of their ranks."""
    order = figures.argsort(axis=1, kind="stable")
    in_order = np.take_along_axis(figures, order, axis=1)
    columns = np.arange(figures.shape[1])
    is_new = np.ones(figures.shape, dtype=bool)
    is_new[:, 1:] = in_order[:, 1:] != in_order[:, :-1]
    first = np.maximum.accumulate(np.where(is_new, columns, 0), axis=1)
    is_last = np.ones(figures.shape, dtype=bool)
    is_last[:, :-1] = is_new[:, 1:]
    ends = np.where(is_last, columns, figures.shape[1])
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(figures.shape, dtype=np.float64)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=1)
    return ranks
