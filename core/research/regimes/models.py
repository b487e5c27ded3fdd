"""States of the market from recorded days: k-means and a hidden Markov model (the extra `research`).

Both see the same features of a day, each scaled to mean 0 and deviation 1. The day's own return is none of them: states
divided by it would have extreme returns by definition. The features and the label of a day use no
later day, but each model is fitted on all days: the states describe the past and were not known then.

k-means is of scikit-learn, the best of `STARTS` starts. The hidden Markov model is of hmmlearn: normal emissions with
diagonal covariances, the likeliest of `STARTS` fits. Its label is the likeliest state given the days so far (the
forward algorithm: Rabiner, A Tutorial on Hidden Markov Models, 1989), not the one that later days suggest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.model.lazy_dataclass import dataclass
from core.model.sizing import DailyValue
from core.ports import OperatorError

Floats = NDArray[np.float64]

VOLATILITY_DAYS = 21
"""Returns of a volatility: a month."""
TREND_DAYS = 50
"""Closes of the mean: the faster one of the desk's own trend (RK-19)."""
SESSIONS_A_YEAR = 252
STARTS = 10
ROUNDS = 500
"""The most rounds of one fit."""
FEWEST_DAYS = 100
"""Days a state that a study needs. Our choice."""


class Feature(StrEnum):
    VOLATILITY = "volatility"
    """Logarithm of the deviation of `VOLATILITY_DAYS` returns, a year."""
    TREND = "trend"
    """Logarithm of the close over the mean of `TREND_DAYS`."""
    VIX = "vix"
    """Logarithm of its close."""


def features_of(closes: Mapping[date, float], vix: Sequence[DailyValue]) -> pd.DataFrame:
    """Return a row for each day on which every feature is known, in order, and a column for each `Feature`.

    Parameters
    ----------
    closes
        Closes of the market by day, USD, in order, in shares of one size.
    vix
        Closes of the VIX, points; empty leaves that feature out.
    """
    prices = pd.Series(closes, dtype=float)
    deviation = returns_of(closes).rolling(VOLATILITY_DAYS).std() * math.sqrt(SESSIONS_A_YEAR)
    columns = {
        Feature.VOLATILITY: np.log(deviation.where(deviation > 0)),
        Feature.TREND: np.log(prices / prices.rolling(TREND_DAYS).mean()),
    }
    if vix:
        columns[Feature.VIX] = np.log(pd.Series({each.day: float(each.value) for each in vix}).reindex(prices.index))
    return pd.DataFrame({str(name): column for name, column in columns.items()}).dropna()


def returns_of(closes: Mapping[date, float]) -> pd.Series:
    """Return the logarithm of close to close by day; the first day has none."""
    returns: pd.Series = np.log(pd.Series(closes, dtype=float)).diff()
    return returns


def require_enough(features: pd.DataFrame, states: int) -> None:
    """Raises `OperatorError` if there are too few days, or a feature that never changes."""
    needed = FEWEST_DAYS * states
    if len(features) < needed:
        raise OperatorError(
            f"{len(features)} days have every figure, {needed} are needed for {states} states; name longer files, "
            f"or fewer --states"
        )
    if constant := [name for name in features if features[name].nunique() == 1]:
        raise OperatorError(f"the {constant[0]} is the same on every day; check the file")


@dataclass(frozen=True, slots=True)
class StateModel:
    """States as normal distributions of the scaled features, the calmest first; `beliefs` says what they are for.

    States of k-means are equally likely each day and equally wide: a day has the state of the nearest centre.

    Attributes
    ----------
    features
        Names of the features, in the order of all figures.
    mean, deviation
        By which each feature is scaled.
    start
        Probability of each state on the first day to label.
    """

    features: tuple[str, ...]
    mean: Floats
    deviation: Floats
    start: Floats
    moves: Floats
    means: Floats
    variances: Floats

    def labels(self, features: pd.DataFrame) -> pd.Series:
        """Return the state of each day by that day and those before it, 1 the calmest."""
        return pd.Series(self._beliefs(features).argmax(axis=1) + 1, index=features.index)

    def after(self, features: pd.DataFrame) -> StateModel:
        """Return the model for the days that follow these."""
        return replace(self, start=self._beliefs(features)[-1] @ self.moves)

    def _beliefs(self, features: pd.DataFrame) -> Floats:
        rows = ((features[list(self.features)] - self.mean) / self.deviation).to_numpy(dtype=float)
        return beliefs(rows, self.start, self.moves, self.means, self.variances)


def fit_k_means(features: pd.DataFrame, states: int, seed: int) -> StateModel:
    """Return the states that k-means finds. Raises `OperatorError` without scikit-learn."""
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        raise _missing("scikit-learn") from None
    with one_thread():
        found = KMeans(states, n_init=STARTS, max_iter=ROUNDS, random_state=seed).fit(_scaled(features))
    alike = np.full(states, 1 / states)
    return _calmest_first(
        features, alike, np.tile(alike, (states, 1)), found.cluster_centers_, np.ones_like(found.cluster_centers_)
    )


def fit_hidden_markov(features: pd.DataFrame, states: int, seed: int) -> StateModel:
    """Return the states of the likeliest hidden Markov model.

    Raises
    ------
    OperatorError
        hmmlearn is missing, or no fit came to an end.
    """
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError:
        raise _missing("hmmlearn") from None
    rows = _scaled(features)
    fits = [
        GaussianHMM(states, covariance_type="diag", n_iter=ROUNDS, tol=1e-3, random_state=seed + start)
        for start in range(STARTS)
    ]
    with one_thread():
        ended = [fit for fit in fits if _is_fitted(fit, rows)]
        best = max(ended, key=lambda fit: float(fit.score(rows)), default=None)
    if best is None:
        raise OperatorError(f"no hidden Markov model of {states} states fits these days; use fewer --states")
    variances = np.stack([np.diagonal(matrix) for matrix in best.covars_])
    return _calmest_first(features, best.startprob_, best.transmat_, best.means_, variances)


def _calmest_first(
    features: pd.DataFrame, start: Floats, moves: Floats, means: Floats, variances: Floats
) -> StateModel:
    """Return the model with its states in the order of their days' mean volatility; one without a day is the last."""
    scale = features.mean().to_numpy(dtype=float), features.std().to_numpy(dtype=float)
    model = StateModel(tuple(map(str, features)), *scale, start, moves, means, variances)
    by_state = features[str(Feature.VOLATILITY)].groupby(model.labels(features) - 1).mean()
    order = np.array([*by_state.sort_values().index, *(set(range(len(start))) - set(by_state.index))])
    return replace(
        model, start=start[order], moves=moves[np.ix_(order, order)], means=means[order], variances=variances[order]
    )


def one_thread() -> AbstractContextManager[Any]:
    """Keep the libraries of linear algebra to one thread: on so few days their threads only wait for each other."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def beliefs(rows: Floats, start: Floats, moves: Floats, means: Floats, variances: Floats) -> Floats:
    """Return for each row the probability of each state given this row and those before it.

    Parameters
    ----------
    rows
        Shape (days, features).
    start
        Probability of each state on the first day, shape (states,).
    moves
        Probability of each state after each state, shape (states, states), a row for the state before.
    means, variances
        Of the normal emissions, shape (states, features).
    """
    spread = ((rows[:, None, :] - means) ** 2 / variances + np.log(2 * np.pi * variances)).sum(axis=2)
    densities = -spread / 2
    found = np.empty((len(rows), len(start)))
    belief = start
    for day, density in enumerate(densities):
        expected = belief if day == 0 else belief @ moves
        weighed = expected * np.exp(density - density.max())
        total = weighed.sum()
        belief = weighed / total if total > 0 else expected
        found[day] = belief
    return found


def _scaled(features: pd.DataFrame) -> Floats:
    scaled: Floats = ((features - features.mean()) / features.std()).to_numpy(dtype=float)
    return scaled


def _is_fitted(model: Any, rows: Floats) -> bool:
    """Fit a model. Return whether it came to an end with figures that are numbers."""
    try:
        model.fit(rows)
    except ValueError:
        return False
    return bool(model.monitor_.converged) and bool(np.isfinite(model.transmat_).all())


def _missing(library: str) -> OperatorError:
    return OperatorError(f"{library} is not installed; run: pip install 'keyturn[research]'")
