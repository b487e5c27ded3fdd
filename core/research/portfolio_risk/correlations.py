"""Correlations of recorded returns, and the parametric figures when they and the volatilities change."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.research.portfolio_risk.scenario_file import Stress
from core.research.portfolio_risk.value_at_risk import CONSTANT, LEVELS, Floats, Moments, normal

RECORDED = Stress("as recorded", correlation=0.0, way=0.0, volatility=1.0)


@dataclass(frozen=True, slots=True)
class CorrelationStress:
    """One-day normal value at risk and expected shortfall at each of `LEVELS`, USD, under a stress.

    Attributes
    ----------
    by_correlation
        The deviation of the profits under the stressed correlations alone, as a multiple of the recorded one; below 1
        for a hedge under rising ones.
    """

    stress: Stress
    by_correlation: float
    var: tuple[float, ...]
    shortfall: tuple[float, ...]


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


def correlation_stresses(values: Floats, returns: Floats, stresses: Iterable[Stress]) -> tuple[CorrelationStress, ...]:
    """Return the figures for what is recorded, then those of each stress, the largest loss first.

    A stress multiplies each position's deviation and moves the correlations; the mean stays.

    Parameters
    ----------
    values
        Value of each position, USD, shape (positions,).
    returns
        Recorded simple returns, shape (days, positions).
    """
    scale = values * returns.std(axis=0, ddof=1)
    recorded = np.nan_to_num(correlation_matrix(returns)) * (1 - np.eye(len(values))) + np.eye(len(values))
    mean = float(returns.mean(axis=0) @ values)

    def deviation(stress: Stress) -> float:
        variance: float = max(float(scale @ blended(recorded, stress.correlation, stress.way) @ scale), 0.0)
        return math.sqrt(variance)

    def stressed(stress: Stress) -> CorrelationStress:
        none, own = np.zeros(()), deviation(stress)
        moments = Moments(np.asarray(mean), np.asarray(own * stress.volatility), none, none)
        losses = [normal(moments, level) for level in LEVELS]
        factor = own / before if before else 1.0
        return CorrelationStress(
            stress, factor, tuple(float(each.var) for each in losses), tuple(float(each.shortfall) for each in losses)
        )

    before = deviation(RECORDED)
    found = sorted(map(stressed, stresses), key=lambda each: -each.var[-1])
    return stressed(RECORDED), *found
