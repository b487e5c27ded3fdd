"""Backtest of value at risk: each day's loss against the figure from the days before it, and three tests of the count.

P-values use closed forms of the chi-square distribution, so no statistics library is needed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.model.lazy_dataclass import dataclass
from core.research.portfolio_risk.value_at_risk import LEVELS, Floats, Method, estimate, moments_of

WINDOW = 500
"""Trading days behind each figure, two years."""


@dataclass(frozen=True, slots=True)
class RatioTest:
    """A likelihood ratio and its p-value."""

    ratio: float
    p_value: float


@dataclass(frozen=True, slots=True)
class VarBacktest:
    """How often a loss was over the value at risk.

    Attributes
    ----------
    days
        Trading days compared.
    violations
        Days with a loss over the figure.
    coverage
        Kupiec's test of the number of violations.
    independence, conditional
        Christoffersen's tests of their independence, and of both together; None without a violation.
    """

    method: Method
    level: float
    days: int
    violations: int
    coverage: RatioTest
    independence: RatioTest | None
    conditional: RatioTest | None

    @property
    def expected(self) -> float:
        return self.days * (1 - self.level)


def backtests(profits: Floats, window: int = WINDOW) -> tuple[VarBacktest, ...]:
    """Compare each day's profit with the one-day figures from the `window` days before it, by method and level.

    Empty if there are not more days than the window.
    """
    if len(profits) <= window:
        return ()
    past = np.lib.stride_tricks.sliding_window_view(profits, window)[:-1]
    following, moments = profits[window:], moments_of(past)
    return tuple(
        backtest_of(method, level, following < -estimate(method, past, moments, level).var)
        for method in Method
        for level in LEVELS
    )


def backtest_of(method: Method, level: float, violations: NDArray[np.bool_]) -> VarBacktest:
    """Test a series of violations, one for each day.

    Coverage: P. Kupiec, "Techniques for Verifying the Accuracy of Risk Measurement Models", Journal of Derivatives 3
    (1995). Independence and conditional coverage: P. Christoffersen, "Evaluating Interval Forecasts", International
    Economic Review 39 (1998); the ratio of the latter is the sum of the other two.
    """
    expected, days, count = 1 - level, len(violations), int(violations.sum())
    coverage = _likelihood(days - count, count, count / days) - _likelihood(days - count, count, expected)
    of_count = _test(2 * coverage, degrees=1)
    if count == 0:
        return VarBacktest(method, level, days, count, of_count, None, None)
    before, after = violations[:-1], violations[1:]
    n00, n01 = int((~before & ~after).sum()), int((~before & after).sum())
    n10, n11 = int((before & ~after).sum()), int((before & after).sum())
    together = _likelihood(n00 + n10, n01 + n11, _part(n01 + n11, n00 + n10))
    apart = _likelihood(n00, n01, _part(n01, n00)) + _likelihood(n10, n11, _part(n11, n10))
    independence = _test(2 * (apart - together), degrees=1)
    both = _test(of_count.ratio + independence.ratio, degrees=2)
    return VarBacktest(method, level, days, count, of_count, independence, both)


def _part(hits: int, misses: int) -> float:
    return hits / (hits + misses) if hits + misses else 0.0


def _likelihood(misses: int, hits: int, probability: float) -> float:
    """Return the logarithm of the likelihood of independent trials; 0 · log 0 is 0."""
    of_hits = hits * math.log(probability) if hits else 0.0
    of_misses = misses * math.log1p(-probability) if misses else 0.0
    return of_hits + of_misses


def _test(ratio: float, degrees: int) -> RatioTest:
    """Return the p-value of a chi-square ratio with 1 or 2 degrees of freedom; rounding below 0 counts as 0."""
    ratio = max(ratio, 0.0)
    return RatioTest(ratio, math.erfc(math.sqrt(ratio / 2)) if degrees == 1 else math.exp(-ratio / 2))
