"""Whether a Sharpe ratio is more than the luck of many trials: probabilistic and deflated Sharpe ratio.

Every Sharpe ratio here is per return (a day's, for daily returns), never annualised. Skewness and kurtosis are those of
the returns; kurtosis is 3 for a normal distribution.

D. H. Bailey and M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012), and "The Deflated
Sharpe Ratio", Journal of Portfolio Management 40 (2014).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from statistics import NormalDist

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.research.sweeps.results import Floats, daily_sharpe

EULER_MASCHERONI = 0.5772156649015329
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SweepTrial:
    """One backtest.

    Attributes
    ----------
    strategy
        The names of the enabled strategies, with `+` between them.
    trial
        A digest of its settings, files and seed: the same backtest again is no new trial.
    at
        When it was first recorded, UTC.
    sharpe
        Daily, not annualised; None if it is undefined.
    returns
        The number of daily returns.
    """

    strategy: str
    trial: str
    at: datetime
    sharpe: float | None
    returns: int


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """The best run against luck.

    Attributes
    ----------
    sharpe, expected_maximum
        The run's Sharpe ratio, and the highest that trials without skill lead one to expect; per return.
    probabilistic, deflated
        The probability, 0 to 1, that the true Sharpe ratio is above 0, and above `expected_maximum`.
    trials, deviation
        The number of trials, and the standard deviation of their Sharpe ratios.
    """

    sharpe: float
    expected_maximum: float
    probabilistic: float
    deflated: float
    returns: int
    skewness: float
    kurtosis: float
    trials: int
    deviation: float


def expected_maximum_sharpe(variance: float, trials: int) -> float:
    """Return the expected maximum of the Sharpe ratios of independent trials without skill, per return.

    √V · ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e))), γ the Euler–Mascheroni constant; 0 for one trial.

    Parameters
    ----------
    variance
        The variance of the trials' Sharpe ratios, per return.
    """
    if trials < 2 or variance <= 0:  # noqa: PLR2004
        return 0.0
    highest = (1 - EULER_MASCHERONI) * NORMAL.inv_cdf(1 - 1 / trials)
    return math.sqrt(variance) * (highest + EULER_MASCHERONI * NORMAL.inv_cdf(1 - 1 / (trials * math.e)))


def probabilistic_sharpe(
    sharpe: float, returns: int, skewness: float, kurtosis: float, benchmark: float = 0.0
) -> float | None:
    """Return the probability that the true Sharpe ratio is above `benchmark`.

    Φ((SR − SR*) √(T − 1) / √(1 − γ₃ SR + (γ₄ − 1)/4 · SR²)), T the number of returns; with the expected maximum of the
    trials as the benchmark it is the deflated Sharpe ratio. None for fewer than two returns, and where the variance of
    the estimate is not positive.
    """
    variance = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if returns < 2 or variance <= 0:  # noqa: PLR2004
        return None
    return NORMAL.cdf((sharpe - benchmark) * math.sqrt(returns - 1) / math.sqrt(variance))


def sharpes_of(trials: Iterable[SweepTrial]) -> Floats:
    """Return the defined Sharpe ratios, shape (n,)."""
    return np.array([trial.sharpe for trial in trials if trial.sharpe is not None], dtype=float)


def deflated_sharpe(returns: Floats, trial_sharpes: Floats, trials: int, cent: float = 0.0) -> DeflatedSharpe | None:
    """Return the figures of a run; None if its Sharpe ratio is undefined.

    Parameters
    ----------
    returns
        Of the run, shape (days,).
    trial_sharpes
        The defined Sharpe ratios of all trials, per return, shape (n,); trials that never traded have none.
    trials
        The number of all trials, at least n. They count as independent, which is the stricter assumption.
    cent
        As of `daily_sharpe`.
    """
    sharpe = daily_sharpe(returns, cent)
    if sharpe is None:
        return None
    centred = returns - returns.mean()
    deviation = math.sqrt((centred**2).mean())
    skewness, kurtosis = (float((centred**power).mean()) / deviation**power for power in (3, 4))
    variance = float(trial_sharpes.var(ddof=1)) if len(trial_sharpes) > 1 else 0.0
    benchmark = expected_maximum_sharpe(variance, trials)
    probabilistic = probabilistic_sharpe(sharpe, len(returns), skewness, kurtosis)
    deflated = probabilistic_sharpe(sharpe, len(returns), skewness, kurtosis, benchmark)
    if probabilistic is None or deflated is None:
        return None
    spread = math.sqrt(variance)
    return DeflatedSharpe(sharpe, benchmark, probabilistic, deflated, len(returns), skewness, kurtosis, trials, spread)
