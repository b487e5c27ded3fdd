"""A study of discovered states: what each was like, what trades made in it, and where the desk's labels agree."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median

import numpy as np
import pandas as pd

from core.analytics.presentation import FEWEST_TRADES
from core.model.lazy_dataclass import dataclass
from core.model.signal import FAILED
from core.model.sizing import DailyBar, DailyValue
from core.model.values import Symbol
from core.research.regimes.models import (
    SESSIONS_A_YEAR,
    StateModel,
    features_of,
    fit_hidden_markov,
    fit_k_means,
    require_enough,
    returns_of,
)
from core.risk.protections.closed_trades import ClosedTrade
from core.risk.regime import MarketFold, readings

OLDEST = timedelta(days=7)
"""The age of the last state that counts for a trade, as for the desk's own labels (RK-12)."""
METHODS = {"k-means": fit_k_means, "hidden Markov model": fit_hidden_markov}
DESK_LABELS = {
    "vix": ("low", "normal", "elevated", "high"),
    "trend": ("up", "sideways", "down"),
    "volatility": ("calm", "usual", "wild"),
}
"""The desk's labels and their values, in order (RK-19)."""


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """Trades whose last session before the entry's day was in one state.

    Attributes
    ----------
    won
        The share above zero; None without a trade.
    mean
        Mean profit as a share of the opening cost; None without a trade.
    """

    count: int
    won: float | None
    mean: float | None

    @property
    def is_few(self) -> bool:
        return self.count < FEWEST_TRADES


@dataclass(frozen=True, slots=True)
class StateFigures:
    """One state, 1 the calmest.

    Attributes
    ----------
    mean_return, volatility
        Of the market's daily returns (logarithms), a year, as shares. The mean compounds: no year loses more than all.
    median_run
        Sessions in a row.
    agreement
        For each of `DESK_LABELS`, the share of this state's days with each value; empty without such labels.
    """

    number: int
    days: int
    mean_return: float
    volatility: float
    median_run: float
    agreement: Mapping[str, Mapping[str, float]]
    trades: TradeFigures


@dataclass(frozen=True, slots=True)
class Labelling:
    """The states that one method found.

    Attributes
    ----------
    labels
        The state of each day.
    rand
        Adjusted Rand index with each of the desk's labels: 1 if the days are divided alike, 0 by chance (Hubert and
        Arabie, 1985).
    """

    method: str
    model: StateModel
    labels: pd.Series
    states: tuple[StateFigures, ...]
    rand: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RegimeStudy:
    """What both methods found on the same days.

    Attributes
    ----------
    desk
        The desk's labels on these days, a column for each that is known.
    rand
        Adjusted Rand index of the two methods.
    trades, left_out
        Trades of the file, and those with no state within a week before their entry.
    failed
        Those that failed in execution, which are no trading result: in neither (EX-18).
    """

    market: Symbol
    features: pd.DataFrame
    seed: int
    labellings: tuple[Labelling, ...]
    desk: pd.DataFrame
    rand: float
    trades: int
    left_out: int
    failed: int


def study_of(
    market: Symbol,
    closes: Mapping[date, float],
    bars: Sequence[DailyBar],
    vix: Sequence[DailyValue],
    trades: Sequence[ClosedTrade],
    day_of: Callable[[datetime], date],
    *,
    states: int,
    seed: int,
    watch: Callable[[int, int], None] = lambda _done, _whole: None,
) -> RegimeStudy:
    """Return the study. Raises `OperatorError` for too few days, or without the extra `research`.

    Parameters
    ----------
    closes
        Closes of the market by day, USD, in shares of one size.
    bars
        The market's daily bars, for the desk's labels.
    day_of
        The trading day of a time.
    """
    features = features_of(closes, vix)
    require_enough(features, states)
    returns = returns_of(closes).reindex(features.index)
    desk = _desk_labels(market, bars, vix).reindex(features.index).dropna(axis="columns", how="all")
    traded = [trade for trade in trades if trade.exit_reason not in FAILED]
    entries = [(day_of(trade.opened_at), float(trade.ratio)) for trade in traded]
    labellings = []
    for done, (method, fit) in enumerate(METHODS.items()):
        watch(done, len(METHODS))
        model = fit(features, states, seed)
        labellings.append(_labelling(method, model, returns, model.labels(features), desk, entries))
    watch(len(METHODS), len(METHODS))
    first, second = (each.labels for each in labellings)
    left_out = sum(state_before(first, day) is None for day, _ in entries)
    rand, failed = _rand(first, second), len(trades) - len(traded)
    return RegimeStudy(market, features, seed, tuple(labellings), desk, rand, len(traded), left_out, failed)


def state_before(labels: pd.Series, day: date) -> int | None:
    """Return the state of the last session before a day; None if that is more than a week earlier."""
    at = bisect_left(labels.index, day)
    return int(labels.iloc[at - 1]) if at and day - labels.index[at - 1] <= OLDEST else None


def _labelling(
    method: str,
    model: StateModel,
    returns: pd.Series,
    labels: pd.Series,
    desk: pd.DataFrame,
    entries: Sequence[tuple[date, float]],
) -> Labelling:
    by_state: dict[int, list[float]] = {}
    for day, ratio in entries:
        if (state := state_before(labels, day)) is not None:
            by_state.setdefault(state, []).append(ratio)
    runs = _runs(labels)
    states = tuple(
        _figures(number, returns[labels == number], desk[labels == number], runs[number], by_state.get(number, []))
        for number in sorted(labels.unique())
    )
    rand = {str(name): _rand(labels, desk[name]) for name in desk}
    return Labelling(method, model, labels, states, rand)


def _figures(
    number: int,
    returns: pd.Series,
    desk: pd.DataFrame,
    runs: Sequence[int],
    ratios: Sequence[float],
) -> StateFigures:
    won = sum(ratio > 0 for ratio in ratios) / len(ratios) if ratios else None
    return StateFigures(
        number=int(number),
        days=len(returns),
        mean_return=math.expm1(float(returns.mean()) * SESSIONS_A_YEAR),
        volatility=float(np.std(returns.to_numpy(), ddof=min(1, len(returns) - 1))) * math.sqrt(SESSIONS_A_YEAR),
        median_run=median(runs),
        agreement={
            str(name): {value: float((desk[name] == value).mean()) for value in DESK_LABELS[str(name)]} for name in desk
        },
        trades=TradeFigures(len(ratios), won, sum(ratios) / len(ratios) if ratios else None),
    )


def _runs(labels: pd.Series) -> dict[int, list[int]]:
    """Return the lengths of the unbroken runs of each state, in sessions."""
    found: dict[int, list[int]] = {}
    for _, run in labels.groupby((labels != labels.shift()).cumsum()):
        found.setdefault(int(run.iloc[0]), []).append(len(run))
    return found


def _desk_labels(market: Symbol, bars: Iterable[DailyBar], vix: Iterable[DailyValue]) -> pd.DataFrame:
    fold = MarketFold(market)
    measures = [fold.take(bar) for bar in bars]
    columns = {
        "vix": {each.measured_on: each.level.value for each in readings(vix)},
        "trend": {each.bars_to: each.trend.value for each in measures if each.trend is not None},
        "volatility": {each.bars_to: each.volatility.value for each in measures if each.volatility is not None},
    }
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})


def _rand(first: pd.Series, second: pd.Series) -> float:
    """Return the adjusted Rand index over the days on which both are known."""
    from sklearn.metrics import adjusted_rand_score

    known = second.notna()
    return float(adjusted_rand_score(first[known].astype(str), second[known].astype(str)))
