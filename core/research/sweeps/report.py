"""The result of a sweep, and its JSON: every run, the best one, its neighbours, what luck explains, walk-forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from core.analytics.presentation import ROLLING
from core.model.lazy_dataclass import dataclass
from core.model.values import Money, plain
from core.research.sweeps.deflated_sharpe import DeflatedSharpe, SweepTrial, deflated_sharpe, sharpes_of
from core.research.sweeps.overfitting import Overfitting, overfitting
from core.research.sweeps.plateau import HeatMap, Plateau, best_point, heat_map, plateau_at
from core.research.sweeps.results import Goal, RunResult, daily_sharpe, ranked, score
from core.research.sweeps.space import Point, Space
from core.research.sweeps.walk_forward import WalkForward, WindowResult

LEAST_RETURNS = ROLLING
"""Daily returns below which neither a deflated Sharpe ratio nor a probability of overfitting is given."""
TABLE = ("trades", "profit", "sharpe", "total_return", "max_drawdown", "win_rate", "profit_factor")
"""The figures of a run in tables, by name."""


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """What was run, before any statistics.

    Attributes
    ----------
    runs
        By combination, in the order of the space.
    rejected, failed
        Combinations without a result, with the reason.
    repeated
        Combinations with the settings of another one.
    resumed
        Runs that were taken from an earlier sweep's file.
    """

    space: Space
    goal: Goal
    strategy: str
    runs: Mapping[Point, RunResult]
    rejected: Mapping[Point, str]
    failed: Mapping[Point, str]
    repeated: int
    resumed: int


@dataclass(frozen=True, slots=True)
class SweepReport:
    """The figures of a sweep.

    Attributes
    ----------
    order
        The combinations from the best to the worst.
    deflated, overfit
        None with fewer than `LEAST_RETURNS` returns, and where they are undefined.
    difference
        Of the best run's profits from those of the same run on the engine, USD; None if nothing was ranked.
    """

    outcome: SweepOutcome
    scores: Mapping[Point, float]
    order: tuple[Point, ...]
    best: Plateau | None
    map: HeatMap | None
    trials: int
    returns: int
    deflated: DeflatedSharpe | None
    overfit: Overfitting | None
    difference: Money | None
    walk_forward: WalkForward | None


def scores_of(outcome: SweepOutcome) -> dict[Point, float]:
    """Return the figure of each run that has one."""
    found = {point: score(result, outcome.goal) for point, result in outcome.runs.items()}
    return {point: figure for point, figure in found.items() if figure is not None}


def report_of(
    outcome: SweepOutcome,
    trials: Sequence[SweepTrial],
    difference_at: Callable[[Point], Money],
    walk_forward: WalkForward | None,
) -> SweepReport:
    """Return the figures of a sweep.

    Parameters
    ----------
    trials
        All trials of its strategy, with those of this sweep.
    difference_at
        Runs a combination once more on the engine and returns the difference, USD.
    """
    scores, axes = scores_of(outcome), outcome.space.axes
    points = list(outcome.runs)
    order = [points[index] for index in ranked([scores.get(point) for point in points])]
    best = best_point(axes, scores)
    if best is not None:
        order.remove(best)
        order.insert(0, best)
    returns = len(outcome.runs[points[0]].returns) if points else 0
    is_long = returns >= LEAST_RETURNS
    deflated = overfit = None
    if is_long and best is not None:
        winner = outcome.runs[best]
        deflated = deflated_sharpe(winner.returns, sharpes_of(trials), len(trials), winner.cent)
        table = np.empty((returns, len(points)))
        for column, result in enumerate(outcome.runs.values()):
            table[:, column] = result.returns
        overfit = overfitting(table)
    return SweepReport(
        outcome,
        scores,
        tuple(order),
        None if best is None else plateau_at(axes, scores, best),
        heat_map(axes, scores) if len(axes) > 1 and scores else None,
        len(trials),
        returns,
        deflated,
        overfit,
        None if best is None else difference_at(best),
        walk_forward,
    )


def figures_of(result: RunResult) -> dict[str, object]:
    """Return the figures of a table's row: money in USD, ratios as fractions, the daily Sharpe ratio.

    All but the Sharpe ratio are defined as in `core.analytics.metrics`; open positions count as trades, `failed` are
    those that failed in execution: in the profit alone.
    """
    profits = np.array(f"{result.profits} {result.open_profits}".split(), dtype=float)
    equity, lost = np.asarray(result.equity), -float(profits[profits < 0].sum())
    tops = np.maximum.accumulate(equity)
    found: tuple[object, ...] = (
        len(profits),
        plain(result.profit),
        daily_sharpe(result.returns, result.cent),
        float(equity[-1] / equity[0] - 1) if equity[0] > 0 else None,
        float(np.where(tops > 0, 1 - equity / np.where(tops > 0, tops, 1), 0.0).max()),
        float((profits > 0).mean()) if len(profits) else None,
        float(profits[profits > 0].sum()) / lost if lost else None,
    )
    return {**dict(zip(TABLE, found, strict=True)), "failed": len(result.failed_profits.split())}


def as_json(report: SweepReport) -> dict[str, object]:
    """Return the report as plain JSON; Sharpe ratios are daily, not annualised."""
    outcome, space = report.outcome, report.outcome.space
    return {
        "strategy": outcome.strategy,
        "goal": outcome.goal.value,
        "axes": [{"name": axis.name, "values": [value.label for value in axis.values]} for axis in space.axes],
        "runs": [{"settings": named(space, point), **figures_of(outcome.runs[point])} for point in report.order],
        "rejected": [{"settings": named(space, point), "reason": why} for point, why in outcome.rejected.items()],
        "failed": [{"settings": named(space, point), "reason": why} for point, why in outcome.failed.items()],
        "repeated": outcome.repeated,
        "best": None if report.best is None else _best(report, report.best),
        "heat_map": None
        if report.map is None
        else {"rows": report.map.rows.name, "columns": report.map.columns.name, "cells": report.map.cells},
        "trials": report.trials,
        "returns": report.returns,
        "least_returns": LEAST_RETURNS,
        "deflated_sharpe": None if report.deflated is None else asdict(report.deflated),
        "overfitting": None if report.overfit is None else asdict(report.overfit),
        "walk_forward": None if report.walk_forward is None else _walked(space, report.walk_forward),
    }


def rows_of(report: SweepReport) -> list[dict[str, object]]:
    """Return each run as a flat row, the best first: its settings by name, then its figures."""
    outcome = report.outcome
    return [{**named(outcome.space, point), **figures_of(outcome.runs[point])} for point in report.order]


def map_rows(found: HeatMap) -> list[dict[str, object]]:
    """Return the map as rows: the value of the axis of rows, then the figure at each value of the other axis."""
    names = [f"{found.columns.name}={value.label}" for value in found.columns.values]
    return [
        {found.rows.name: value.label, **dict(zip(names, cells, strict=True))}
        for value, cells in zip(found.rows.values, found.cells, strict=True)
    ]


def named(space: Space, point: Point) -> dict[str, str]:
    """Return the value of each axis by its name."""
    return {axis.name: label for axis, label in zip(space.axes, space.labels(point), strict=True)}


def _best(report: SweepReport, best: Plateau) -> dict[str, object]:
    figures = asdict(best)
    del figures["point"]
    difference = None if report.difference is None else str(report.difference)
    return {"settings": named(report.outcome.space, best.point), **figures, "engine_difference": difference}


def _walked(space: Space, found: WalkForward) -> dict[str, object]:
    return {
        "windows": [window_row(space, window) for window in found.windows],
        "not_chosen": found.not_chosen,
        "equity": [
            {"day": day, "equity": round(worth, 2)} for day, worth in zip(found.days, found.equity, strict=True)
        ],
        "sharpe": found.sharpe,
        "train_daily_return": found.train_daily,
        "test_daily_return": found.test_daily,
        "efficiency": found.efficiency,
    }


def window_row(space: Space, window: WindowResult) -> dict[str, object]:
    """Return a window's figures as plain values."""
    return {
        "train_first": window.train.first,
        "train_last": window.train.last,
        "test_first": window.test.first,
        "test_last": window.test.last,
        **{axis.name: label for axis, label in zip(space.axes, window.labels, strict=True)},
        "purged": window.choice.purged,
        "train_return": window.train_return,
        "train_sharpe": window.train_sharpe,
        "test_return": window.test_return,
        "test_sharpe": window.test_sharpe,
        "trades": window.trades,
    }
