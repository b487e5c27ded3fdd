"""The risk of a portfolio as one value: scenarios, value at risk, Monte Carlo, correlations, backtest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from core.model.lazy_dataclass import dataclass
from core.model.sizing import DailyValue, VixLevel
from core.model.values import Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.betas import INDEX
from core.research.portfolio_risk.correlations import CorrelationStress, correlation_matrix, correlation_stresses
from core.research.portfolio_risk.history import SHORTEST, Gap, History, Jump, Proxy
from core.research.portfolio_risk.monte_carlo import (
    FEW_DAYS,
    FEWEST_DAYS,
    Episodes,
    regimes_before,
    simulated_profits,
)
from core.research.portfolio_risk.portfolio import LeftOut, Position, Valued, valued
from core.research.portfolio_risk.scenario_file import AnyScenario, RecordedDays, Stress
from core.research.portfolio_risk.scenarios import Scenario, shocked, windows, worst_path
from core.research.portfolio_risk.shock_text import Shock
from core.research.portfolio_risk.value_at_risk import (
    HORIZONS,
    LEVELS,
    Floats,
    Loss,
    Method,
    estimate,
    historical,
    in_domain,
    moments_of,
)
from core.research.portfolio_risk.var_backtest import WINDOW, VarBacktest, backtests

MONTE_CARLO, OF_THE_REGIME = "Monte Carlo", "Monte Carlo, regime"

OLDEST = timedelta(days=7)
"""Age of a VIX that still counts as the current one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Value at risk and expected shortfall, USD, a loss above zero.

    Attributes
    ----------
    method
        One of `Method`, `MONTE_CARLO` or `OF_THE_REGIME`.
    horizon
        Trading days.
    samples
        The days behind it; for historical figures over several days the overlapping windows.
    """

    method: str
    level: float
    horizon: int
    var: float
    shortfall: float
    samples: int


@dataclass(frozen=True, slots=True)
class Domain:
    """Measured skewness and excess kurtosis of the daily profits, and those that the expansion used at its border."""

    skewness: float
    excess: float
    used_skewness: float
    used_excess: float

    @property
    def is_outside(self) -> bool:
        return (self.skewness, self.excess) != (self.used_skewness, self.used_excess)


@dataclass(frozen=True, slots=True)
class RegimeDays:
    """The VIX level that holds now, and the recorded days that began with it."""

    level: VixLevel
    vix: float
    measured_on: date
    days: int

    @property
    def is_few(self) -> bool:
        return self.days < FEW_DAYS


@dataclass(frozen=True, slots=True)
class RiskReport:
    """The risk of a portfolio; amounts in USD.

    Attributes
    ----------
    as_of
        The last day that all histories have.
    first, days
        First day and number of returns behind the figures of one day.
    recorded, recorded_from
        Number of days on which every position has a return, and the first; Monte Carlo draws from them.
    proxies
        The positions that are moved by their betas in every figure.
    symbols, correlations
        The matrix and its order of rows; NaN for a symbol without variance.
    regime
        None without a VIX of the last week.
    """

    as_of: date
    first: date
    days: int
    recorded: int
    recorded_from: date
    positions: tuple[Valued, ...]
    left_out: tuple[LeftOut, ...]
    proxies: Mapping[Symbol, Proxy]
    scenarios: tuple[Scenario, ...]
    estimates: tuple[Estimate, ...]
    domain: Domain
    regime: RegimeDays | None
    symbols: tuple[Symbol, ...]
    correlations: Floats
    stresses: tuple[CorrelationStress, ...]
    tests: tuple[VarBacktest, ...]
    jumps: tuple[Jump, ...]
    gaps: tuple[Gap, ...]
    seed: int

    @property
    def gross(self) -> float:
        return float(sum(abs(each.value) for each in self.positions))

    @property
    def net(self) -> float:
        return float(sum(each.value for each in self.positions))


def assess(
    positions: Sequence[Position],
    history: History,
    shocks: Sequence[Shock],
    scenarios: Sequence[AnyScenario] = (),
    *,
    seed: int,
    watch: Callable[[int, int], None] = lambda _done, _whole: None,
) -> RiskReport:
    """Compute the report of positions that are held unchanged.

    Parameters
    ----------
    shocks
        Typed ones; one that cannot be applied is an error, and that of a scenario's file a scenario without a profit.

    Raises
    ------
    OperatorError
        No position has a history or proxy, the histories have too few days in common, or a shock cannot be applied.
    """
    history = history.with_proxies(each.symbol for each in positions)
    used, left_out = valued(positions, history.last, history.missing)
    used = tuple(sorted(used, key=lambda each: -abs(each.value)))
    symbols = tuple(each.symbol for each in used)
    returns = _returns(history, symbols, left_out)
    values = np.array([float(each.value) for each in used])
    recent = returns.iloc[-WINDOW:]
    daily, whole = recent.to_numpy() @ values, returns.to_numpy()
    as_of: date = returns.index[-1]
    watch(1, 4)
    found = [worst_path(each, history, used) for each in scenarios if isinstance(each, RecordedDays)]
    vix = _vix_of(history, as_of)
    vix_now = None if vix is None else float(vix.value)
    priced = [Valued(each.symbol, each.quantity, each.price) for each in left_out if each.price is not None]
    for shock in (*shocks, *(each for each in scenarios if isinstance(each, Shock))):
        try:
            found.append(shocked(shock, history, used, priced, vix_now))
        except OperatorError as error:
            if shock in shocks:
                raise
            found.append(Scenario(shock.name, None, (), {}, reason=str(error)))
    watch(2, 4)
    sums = windows(recent, list(history.closes.index), HORIZONS[-1]) @ values
    estimates = [*_of_methods(daily, sums), *_simulated(MONTE_CARLO, values, whole, seed)]
    regime, pool = (None, []) if vix is None else _regime(history, returns.index.tolist(), vix)
    if regime is not None and regime.days >= FEWEST_DAYS:
        estimates += _simulated(OF_THE_REGIME, values, whole[pool], seed, Episodes(pool))
    watch(3, 4)
    moments = moments_of(daily)
    inside = in_domain(moments)
    tests = backtests(whole @ values)
    watch(4, 4)
    return RiskReport(
        as_of=as_of,
        first=recent.index[0],
        days=len(recent),
        recorded=len(returns),
        recorded_from=returns.index[0],
        positions=used,
        left_out=left_out,
        proxies=history.proxies,
        scenarios=tuple(sorted((_completed(each, left_out) for each in found), key=_by_loss)),
        estimates=tuple(estimates),
        domain=Domain(*(float(each) for each in (moments.skewness, moments.excess, inside.skewness, inside.excess))),
        regime=regime,
        symbols=symbols,
        correlations=correlation_matrix(recent.to_numpy()),
        stresses=correlation_stresses(
            values, recent.to_numpy(), [each for each in scenarios if isinstance(each, Stress)]
        ),
        tests=tests,
        jumps=tuple(jump for jump in history.jumps if jump.symbol in (*symbols, INDEX)),
        gaps=tuple(gap for gap in history.gaps if gap.symbol in (*symbols, INDEX)),
        seed=seed,
    )


def _returns(history: History, symbols: Sequence[Symbol], left_out: Sequence[LeftOut]) -> pd.DataFrame:
    """Return the daily returns of these symbols. Raises OperatorError: there are none, or too few."""
    if not symbols:
        reasons = "; ".join(f"{each.symbol}: {each.reason}" for each in left_out)
        raise OperatorError(f"no position has a usable history: {reasons}")
    returns = history.returns(symbols)
    if len(returns) < SHORTEST - 1:
        raise OperatorError(
            f"{len(returns)} days on which {', '.join(symbols)} all have a return, {SHORTEST - 1} are needed; "
            "add older days to their files, or leave a position out with --positions"
        )
    return returns


def _completed(scenario: Scenario, left_out: Sequence[LeftOut]) -> Scenario:
    """Add the positions without a history to those that the scenario lacks."""
    has = {part.symbol for part in scenario.parts}
    lacks = {each.symbol: each.reason for each in left_out if each.symbol not in has}
    return replace(scenario, without={**scenario.without, **lacks})


def _by_loss(scenario: Scenario) -> float:
    return math.inf if scenario.profit is None else scenario.profit


def _of_methods(daily: Floats, sums: Floats) -> list[Estimate]:
    """Return the figures of each method; over ten days historical ones are of `sums`, overlapping windows."""
    found, moments = [], moments_of(daily)
    for horizon, profits in zip(HORIZONS, (daily, sums), strict=True):
        for method in Method:
            samples = profits if method is Method.HISTORICAL else daily
            if not len(samples):
                continue
            for level in LEVELS:
                loss = estimate(method, samples, moments.over(horizon), level)
                found.append(_estimate(method, level, horizon, loss, len(samples)))
    return found


def _simulated(name: str, values: Floats, pool: Floats, seed: int, episodes: Episodes | None = None) -> list[Estimate]:
    horizon = HORIZONS[-1]
    profits = simulated_profits(values, pool, days=horizon, seed=seed, episodes=episodes)
    return [_estimate(name, level, horizon, historical(profits, level), len(pool)) for level in LEVELS]


def _estimate(method: str, level: float, horizon: int, loss: Loss, samples: int) -> Estimate:
    return Estimate(str(method), level, horizon, float(loss.var), float(loss.shortfall), samples)


def _vix_of(history: History, as_of: date) -> DailyValue | None:
    """Return the last VIX at a day; None if it is older than a week."""
    last = next((each for each in reversed(history.vix) if each.day <= as_of), None)
    return None if last is None or as_of - last.day > OLDEST else last


def _regime(history: History, days: Sequence[date], last: DailyValue) -> tuple[RegimeDays, list[int]]:
    """Return the regime after the last VIX, and the indices of the days that began with it."""
    *before, now = regimes_before([*days, last.day + timedelta(days=1)], history.vix)
    assert now is not None
    pool = [at for at, level in enumerate(before) if level is now]
    return RegimeDays(now, float(last.value), last.day, len(pool)), pool
