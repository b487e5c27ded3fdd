"""Value at risk and expected shortfall of a series of profits: historical, normal and Cornish-Fisher.

All functions take profits in USD along the last axis of an array of any shape and return losses in USD: a positive
figure is a loss. They are statistics, so they are floats. Nothing is read and nothing is drawn here.
"""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.model.lazy_dataclass import dataclass

Floats = NDArray[np.float64]
LEVELS = (0.95, 0.99)
HORIZONS = (1, 10)
"""Trading days."""
MOST_SKEWNESS = 6 * (math.sqrt(2) - 1)
"""The largest skewness of a Cornish-Fisher distribution."""
CONSTANT = 1e-12
"""A deviation of this fraction of the largest profit is one of rounding."""


class Method(StrEnum):
    HISTORICAL = "historical"
    NORMAL = "normal"
    CORNISH_FISHER = "Cornish-Fisher"


@dataclass(frozen=True, slots=True)
class Loss:
    """Value at risk and expected shortfall, USD, one for each series."""

    var: Floats
    shortfall: Floats


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and deviation of a sample (n − 1), USD; skewness and excess kurtosis, of the population."""

    mean: Floats
    deviation: Floats
    skewness: Floats
    excess: Floats

    def over(self, days: int) -> Moments:
        """Return the moments of the sum of so many independent days: √days for the deviation."""
        root = math.sqrt(days)
        return Moments(self.mean * days, self.deviation * root, self.skewness / root, self.excess / days)


def moments_of(profits: Floats) -> Moments:
    """Return the moments along the last axis; skewness and excess are 0 for constant profits."""
    largest = np.abs(profits).max(axis=-1)
    scale = np.where(largest > 0, largest, 1.0)  # powers of huge and of tiny profits would not fit into a float
    mean = profits.mean(axis=-1)
    centred = (profits - mean[..., None]) / scale[..., None]
    squared = centred * centred
    variance = squared.mean(axis=-1)
    is_constant = np.sqrt(variance) <= CONSTANT
    safe = np.where(is_constant, 1.0, variance)
    count = profits.shape[-1]
    return Moments(
        mean,
        np.where(is_constant, 0.0, np.sqrt(variance * count / max(count - 1, 1)) * scale),
        np.where(is_constant, 0.0, (squared * centred).mean(axis=-1) / safe**1.5),
        np.where(is_constant, 0.0, (squared * squared).mean(axis=-1) / safe**2 - 3),
    )


def historical(profits: Floats, level: float) -> Loss:
    """Return the empirical quantile, interpolated, and the mean of the worst 1 − level of the profits.

    The quantile is type 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", American
    Statistician 50 (1996). The shortfall is that of C. Acerbi and D. Tasche, "On the Coherence of Expected Shortfall",
    Journal of Banking & Finance 26 (2002): a tail that ends within an observation counts that part of it.
    """
    count = profits.shape[-1]
    ordered = np.sort(profits, axis=-1)
    tail = (1 - level) * count
    whole = min(math.floor(tail + CONSTANT), count - 1)
    part = max(tail - whole, 0.0)
    worst = ordered[..., :whole].sum(axis=-1) + part * ordered[..., whole]
    return Loss(-np.quantile(ordered, 1 - level, axis=-1), -worst / tail)


def normal(moments: Moments, level: float) -> Loss:
    """Return both figures of a normal distribution with these moments: zσ − μ, and σφ(z)/(1 − level) − μ.

    P. Jorion, Value at Risk, 3rd ed. (2007); for the shortfall A. McNeil, R. Frey and P. Embrechts, Quantitative Risk
    Management (2005), section 2.2.4.
    """
    z, density = _normal_tail(level)
    tail = density / (1 - level)
    return Loss(-z * moments.deviation - moments.mean, tail * moments.deviation - moments.mean)


def cornish_fisher(moments: Moments, level: float) -> Loss:
    """Return both figures by the Cornish-Fisher expansion to the fourth moment, within its domain.

    The expansion is that of P. Zangari, "A VaR Methodology for Portfolios That Include Options", RiskMetrics Monitor
    (1996). The shortfall is the exact integral of the same quantiles. Outside of the domain the quantiles are not
    monotone, so `in_domain` comes first.
    """
    z, density = _normal_tail(level)
    tail = 1 - level
    first, second, third = -density / tail, 1 - z * density / tail, -density * (z**2 + 2) / tail
    at_quantile = _expanded(moments, z, z**2, z**3)
    in_tail = _expanded(moments, first, second, third)
    return Loss(
        -(moments.mean + moments.deviation * at_quantile),
        -(moments.mean + moments.deviation * in_tail),
    )


def _expanded(moments: Moments, z: float, z2: float, z3: float) -> Floats:
    """Return the expansion, linear in the powers of z, so that means of powers give the mean of the expansion."""
    s, k = moments.skewness, moments.excess
    return z + (z2 - 1) * s / 6 + (z3 - 3 * z) * k / 24 - (2 * z3 - 5 * z) * s**2 / 36


def _normal_tail(level: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(1 - level)
    return z, NormalDist().pdf(z)


def in_domain(moments: Moments) -> Moments:
    """Return the moments with skewness and excess kurtosis at the nearest border of the domain; inside it unchanged.

    The domain is where the expansion rises with z: D. Maillard, "A User's Guide to the Cornish Fisher Expansion"
    (2012). Skewness is limited first, then excess kurtosis to the interval at that skewness.
    """
    skewness = np.clip(moments.skewness, -MOST_SKEWNESS, MOST_SKEWNESS)
    middle = 4 + 11 * skewness**2 / 9
    half = 4 * np.sqrt(np.maximum((1 - skewness**2 / 36) ** 2 - skewness**2 / 9, 0.0))
    excess = np.clip(moments.excess, middle - half, middle + half)
    return Moments(moments.mean, moments.deviation, skewness, excess)


def estimate(method: Method, profits: Floats, moments: Moments, level: float) -> Loss:
    """Return the figures of a method: historical ones from profits, all others from moments over the same horizon."""
    if method is Method.HISTORICAL:
        return historical(profits, level)
    return normal(moments, level) if method is Method.NORMAL else cornish_fisher(in_domain(moments), level)
