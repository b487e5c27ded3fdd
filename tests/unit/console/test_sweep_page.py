"""The page of a sweep at 80 columns, from made-up runs: what it says of luck, plateaus and windows."""

from __future__ import annotations

import io
import json
import re
from array import array
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import orjson
from rich.console import Console

from console.commands.sweep_page import page
from core.research.sweeps.deflated_sharpe import SweepTrial
from core.research.sweeps.report import SweepOutcome, SweepReport, as_json, map_rows, report_of
from core.research.sweeps.results import Goal, RunResult
from core.research.sweeps.space import Axis, AxisValue, Point, Space
from core.research.sweeps.walk_forward import WindowPlan, chosen, joined, windows_of
from tests.kit.rows import table

AT = datetime.fromisoformat("2024-01-02T15:00:00Z")
DAY = AT.date()


def an_axis(name: str, many: int) -> Axis:
    return Axis(name, tuple(AxisValue(f"{0.002 + at / 10_000:.4f}", ()) for at in range(many)), is_ordered=True)


def a_run(seed: int, days: int = 200, gain: float = 0.0) -> RunResult:
    returns = np.random.default_rng(seed).normal(gain, 0.01, days)
    equity = tuple(map(float, np.cumprod([100_000, *(1 + returns)])))
    every_day = tuple(DAY + timedelta(days=number) for number in range(-1, days))
    return RunResult(
        Decimal("12.34"), "12.34", "", None, array("i", [0] * (len(every_day) - 1)), (), every_day, array("d", equity)
    )


def a_report(
    rows: int, columns: int, *, days: int = 200, goal: Goal = Goal.SHARPE, difference: str = "0.00"
) -> SweepReport:
    axes = tuple(an_axis(f"strategies.vwap.{name}", many) for name, many in (("entry", rows), ("stop", columns)))
    space = Space(axes if columns else axes[:1])
    runs = {point: a_run(number, days) for number, point in enumerate(space.grid())}
    trials = [SweepTrial("vwap", str(number), AT, number / 100, days) for number in range(len(runs))]
    rejected: dict[Point, str] = {space.grid()[-1]: "one exceeds the other"}
    outcome = SweepOutcome(space, goal, "vwap", runs, rejected, {}, 0, 0)
    plan = WindowPlan(days // 2, days // 4)
    results = list(runs.values())
    choices = [chosen(results, window, goal) for window in windows_of(days, plan)]
    tests = [(choice, space.labels((0,) * len(space.axes)), a_run(7, days)) for choice in choices if choice is not None]
    return report_of(outcome, trials, lambda _point: Decimal(difference), joined(results, tests, 0))


def shown(report: SweepReport) -> list[str]:
    console = Console(file=io.StringIO(), width=80, highlight=False, color_system=None)
    console.print(page(report, 80), width=80, markup=False)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@table("rows, columns", (3, 0), (2, 2), (7, 7), (3, 20), (2, 60))
def test_every_page_fits_in_80_columns(rows: int, columns: int) -> None:
    """AN-05: figures, shades alone, or a word where neither fits"""
    lines = shown(a_report(rows, columns))

    assert max(map(len, lines)) <= 80
    assert any("in sample" in line for line in lines)


def test_the_map_marks_the_best_cell() -> None:
    """AN-05: in its row and column"""
    report = a_report(7, 7)
    assert report.best is not None
    lines = shown(report)

    begin = next(number for number, line in enumerate(lines) if line.startswith("rows: "))
    marked = [number for number, line in enumerate(lines[begin + 2 : begin + 9]) if "*" in line]
    assert marked == [report.best.point[0]]
    before, _, _ = lines[begin + 2 + marked[0]].partition("*")
    assert len(re.findall(r"-?\d\.\d{3}\b", before)) == report.best.point[1]


@table("days, has_figures", (63, True), (62, False))
def test_figures_of_luck_need_63_returns(days: int, has_figures: bool) -> None:
    """AN-05, AN-01"""
    report = a_report(3, 3, days=days)

    assert (report.deflated is not None, report.overfit is not None) == (has_figures, has_figures)


def test_the_report_is_plain_json() -> None:
    """AN-05: every figure, and nothing that JSON cannot hold"""
    report = a_report(3, 3)
    told = json.loads(orjson.dumps(as_json(report)))

    assert len(told["runs"]) == 9
    assert told["deflated_sharpe"]["trials"] == told["trials"] == 9
    assert told["rejected"][0]["reason"] == "one exceeds the other"
    assert len(told["heat_map"]["cells"]) == 3
    assert told["best"]["engine_difference"] == "0.00"


def test_the_map_is_a_table() -> None:
    """AN-05: its cells, a row for each value of the first axis"""
    report = a_report(3, 2)
    assert report.map is not None
    rows = map_rows(report.map)

    assert [next(iter(row.values())) for row in rows] == [value.label for value in report.map.rows.values]
    assert [tuple(row.values())[1:] for row in rows] == list(report.map.cells)


@table("trades, is_marked", (29, True), (30, False))
def test_a_best_run_of_few_trades_is_marked(trades: int, is_marked: bool) -> None:
    """AN-05"""
    report = a_report(2, 2)
    assert report.best is not None
    run = replace(report.outcome.runs[report.best.point], profits=" ".join(["1"] * trades))
    outcome = replace(report.outcome, runs=dict(report.outcome.runs) | {report.best.point: run})

    lines = shown(replace(report, outcome=outcome))
    assert any(line.startswith("FEW TRADES") for line in lines) is is_marked


def test_a_difference_is_marked() -> None:
    """AN-05"""
    assert any("0.01 USD" in line for line in shown(a_report(2, 2, difference="0.01")))
    assert not any("0.01 USD" in line for line in shown(a_report(2, 2)))


def test_equal_profits_are_equal_scores() -> None:
    """AN-05: and the page says that the settings changed nothing"""
    report = a_report(3, 3, goal=Goal.PROFIT)

    assert set(report.scores.values()) == {12.34}
    assert any(line.startswith("all runs give the same figure") for line in shown(report))
