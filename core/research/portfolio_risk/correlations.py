"""Correlations of recorded returns, and the parametric value at risk when they change."""

from __future__ import annotations

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.research.portfolio_risk.value_at_risk import CONSTANT, LEVELS, Floats, Moments, normal

STRESSED = 0.9
"""The correlation of every pair in a crisis."""


@dataclass(frozen=True, slots=True)
class CorrelationStress:
    """One-day parametric value at risk at each of `LEVELS`, USD, with correlations moved towards a target.

    Attributes
    ----------
    target
        The correlation of every pair that is approached.
    weight
        The part of the way: 0 recorded, 1 the target itself.
    """

    target: float
    weight: float
    var: tuple[float, ...]


def correlation_matrix(returns: Floats) -> Floats:
    """Return the correlations of the columns, shape (symbols, symbols); NaN for a column without variance."""
    count = returns.shape[1]
    deviation = returns.std(axis=0, ddof=1)
    varies = deviation > CONSTANT * np.abs(returns).max(axis=0)
    found = np.full((count, count), np.nan)
    if varies.any():
        found[np.ix_(varies, varies)] = np.atleast_2d(np.corrcoef(returns[:, varies], rowvar=False))
    return found


def blended(correlations: Floats, target: float, weight: float) -> Floats:
    """Move every correlation towards a target from 0 to 1; the result is positive semidefinite.

    Both the recorded matrix and one with a single correlation of at least 0 are, and so is any mean of the two.
    """
    count = len(correlations)
    goal = np.full((count, count), target) + (1 - target) * np.eye(count)
    return (1 - weight) * correlations + weight * goal


def correlation_stress(values: Floats, returns: Floats) -> tuple[CorrelationStress, ...]:
    """Return the figures for recorded correlations, half the way and the whole way to 0.9, and the whole way to 0.

    Rising correlations lower the risk of a hedged portfolio, so the last row drops them.

    Parameters
    ----------
    values
        Value of each position, USD, shape (positions,).
    returns
        Recorded simple returns, shape (days, positions).
    """
    scale = np.abs(values) * returns.std(axis=0, ddof=1) * np.sign(values)
    recorded = np.nan_to_num(correlation_matrix(returns)) * (1 - np.eye(len(values))) + np.eye(len(values))
    mean = float(returns.mean(axis=0) @ values)
    found = []
    for target, weight in ((STRESSED, 0.0), (STRESSED, 0.5), (STRESSED, 1.0), (0.0, 1.0)):
        variance = float(scale @ blended(recorded, target, weight) @ scale)
        none = np.zeros(())
        moments = Moments(np.asarray(mean), np.asarray(max(variance, 0.0) ** 0.5), none, none)
        found.append(CorrelationStress(target, weight, tuple(float(normal(moments, level).var) for level in LEVELS)))
    return tuple(found)
