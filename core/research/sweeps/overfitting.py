"""The probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

The days are cut into S equal blocks. For each choice of half of them, the best run of that half is looked up in the
other half. Overfitting is likely where the best of one half is often below the median of the other.

D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, "The Probability of Backtest Overfitting", Journal of
Computational Finance (2015). Of equal runs none is preferred: the mean of their ranks counts.
"""

from __future__ import annotations

from itertools import combinations, islice
from math import comb

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.research.sweeps.results import Floats

BLOCKS = 16
"""The number of blocks in the paper's example: 12,870 splits."""
AT_ONCE = 50_000
"""Figures held at once: splits times runs. More do not stay in the processor's cache and cost four times the time."""


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
    sums, squares = cut.sum(axis=1), np.einsum("bdr,bdr->br", cut, cut)
    splits = comb(blocks, blocks // 2)
    below = losses = 0
    # A split and its opposite are one pair of halves: each half is looked up in the other.
    halves = np.zeros((splits // 2, blocks))
    for row, chosen in zip(halves, islice(combinations(range(blocks), blocks // 2), splits // 2), strict=True):
        row[list(chosen)] = 1
    for part in np.array_split(halves, -(-len(halves) * runs // AT_ONCE)):
        one, other = (_sharpes(half @ sums, half @ squares, length * blocks // 2) for half in (part, 1 - part))
        for inside, outside in ((one, other), (other, one)):
            ranks, figures = _of_the_best(inside, outside)
            below += int((ranks * 2 <= runs + 1).sum())
            losses += int((figures < 0).sum())
    return Overfitting(below / splits, losses / splits, blocks, splits, length * blocks, runs)


def _sharpes(sums: Floats, squares: Floats, days: int) -> Floats:
    """Return the Sharpe ratios from sums of returns and of their squares, 0 for constant returns.

    Rounded, so that equal runs stay equal whatever the order of the sums.
    """
    mean, raw = sums / days, squares / days
    variance = (raw - mean**2) * days / (days - 1)
    is_constant = variance <= 1e-12 * raw
    found: Floats = np.divide(mean, np.sqrt(np.abs(variance)), out=np.zeros(sums.shape), where=~is_constant)
    return np.asarray(found.round(9), dtype=np.float64)


def _of_the_best(inside: Floats, outside: Floats) -> tuple[Floats, Floats]:
    """Return the rank outside of each row's best run inside, 1 the lowest, and its figure there.

    Of several best runs both are means. Equal figures share the mean of their ranks.
    """
    is_best = inside == inside.max(axis=1, keepdims=True)
    figures = outside[np.arange(len(outside)), is_best.argmax(axis=1)]
    lower, equal = (compared(outside, figures[:, None]).sum(axis=1) for compared in (np.less, np.equal))
    ranks = lower + (equal + 1) / 2
    for row in np.nonzero(is_best.sum(axis=1) > 1)[0]:
        found, in_order = outside[row][is_best[row]], np.sort(outside[row])
        first, after = (np.searchsorted(in_order, found, side=side) for side in ("left", "right"))
        ranks[row], figures[row] = ((first + after + 1) / 2).mean(), found.mean()
    return ranks, figures
