"""The result of a sweep for people: best runs, their map, what luck explains; in 80 columns, also without colour."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.text import Text

from console.commands.backtest_page import fitting
from console.commands.shared import cents, counted
from core.analytics.presentation import FEWEST_TRADES, NONE, value_of
from core.model.text_sanitizer import harmless
from core.research.sweeps.plateau import HeatMap, Plateau
from core.research.sweeps.report import LEAST_RETURNS, SweepReport, figures_of
from core.research.sweeps.results import Goal
from core.research.sweeps.walk_forward import WalkForward

SHOWN_RUNS = 10
"""The best runs shown; --json and --csv have all."""
SHOWN_REASONS = 5
"""Rejected and failed combinations shown of each."""
LONGEST_LINE = 40
"""Values of a single axis that are drawn; more have only the table."""
SHADES = " ░▒▓█"
COLOURS = ("", "white on grey30", "white on dark_green", "black on green3", "black on green1")
BAR = 24
"""Columns of the longest bar."""
COLUMNS = (
    ("trades", "trades", "count"),
    ("USD", "profit", "money"),
    ("Sharpe/day", "sharpe", "daily"),
    ("drawdown", "max_drawdown", "percent"),
    ("wins", "win_rate", "percent"),
    ("factor", "profit_factor", "ratio"),
)
"""For each figure of a run: its column heading, key and format."""
NAMES = {Goal.SHARPE: "Sharpe ratio a day", Goal.PROFIT: "profit, USD"}


def page(report: SweepReport, width: int) -> RenderableType:
    return Group(*_parts(report, width))


def _parts(report: SweepReport, width: int) -> Iterator[RenderableType]:
    outcome = report.outcome
    axes = " × ".join(axis.name for axis in outcome.space.axes)
    yield Text(harmless(f"{outcome.strategy or 'no strategy'}: {axes}"), style="bold")
    yield Text(counted_runs(report))
    for what, found in (("rejected", outcome.rejected), ("failed", outcome.failed)):
        for point, reason in list(found.items())[:SHOWN_REASONS]:
            yield Text(harmless(f"{what} {', '.join(outcome.space.labels(point))}: {reason}"), style="yellow")
        if len(found) > SHOWN_REASONS:
            yield Text(f"{len(found) - SHOWN_REASONS:,} more are {what}; --json names all", style="yellow")
    yield Text()
    if report.best is None:
        traded = sum(result.is_traded for result in outcome.runs.values())
        if traded:
            yield Text(
                f"{counted(traded, 'run')} traded, and none has a Sharpe ratio: it needs two days; try --by profit"
            )
        else:
            yield Text("no run traded on these bars: widen the grid, or name a strategy with --strategy")
        return
    yield _table(report, width)
    yield Text()
    if report.map is not None:
        yield from _map(report.map, report, report.best, width)
    elif len(outcome.space.axes) == 1 and len(outcome.space.axes[0].values) <= LONGEST_LINE:
        yield from _line(report)
    yield from (Text(line) for line in _folded(plateau_lines(report, report.best), width))
    yield Text()
    yield from (Text(line) for line in _folded(luck_lines(report), width))
    if report.walk_forward is not None:
        yield Text()
        yield from _walk_forward(report, report.walk_forward, width)
    yield Text()
    agrees = "agrees" if not report.difference else "DIFFERS: report this, and trust neither"
    style = "" if not report.difference else "bold red"
    yield Text(f"best run again on the engine: difference {cents(report.difference)} USD, it {agrees}", style=style)


def counted_runs(report: SweepReport) -> str:
    outcome = report.outcome
    parts = [
        counted(f"{len(outcome.runs):,}", "run") if len(outcome.runs) != 1 else "1 run",
        f"{outcome.resumed:,} of them kept from before" if outcome.resumed else "",
        f"{len(outcome.rejected):,} rejected" if outcome.rejected else "",
        f"{len(outcome.failed):,} failed" if outcome.failed else "",
        f"{outcome.repeated:,} with equal settings run once" if outcome.repeated else "",
    ]
    return ", ".join(part for part in parts if part)


def figure_of(value: object, kind: str) -> str:
    if kind == "daily":
        return f"{value:z.3f}" if isinstance(value, int | float) else NONE
    return value_of(float(value) if isinstance(value, str) else value, kind)


def _table(report: SweepReport, width: int) -> RenderableType:
    outcome, shown = report.outcome, report.order[:SHOWN_RUNS]
    many = len(report.order)
    rows = [figures_of(outcome.runs[point]) for point in shown]
    first = "best" if many <= SHOWN_RUNS else f"best {SHOWN_RUNS} of {many:,}"
    labels = [" ".join(harmless(label) for label in outcome.space.labels(point)) for point in shown]
    columns = {first: labels} | {name: [figure_of(row[key], kind) for row in rows] for name, key, kind in COLUMNS}
    return fitting(columns, width, ("factor", "wins", "drawdown"), 12)


def _map(found: HeatMap, report: SweepReport, best: Plateau, width: int) -> Iterator[RenderableType]:
    """Draw each pair of values as a cell with its figure and a shade; the best one is marked."""
    goal = report.outcome.goal
    others = len(report.outcome.space.axes) - 2
    mean = f", the mean over {'the other axis' if others == 1 else f'{others} other axes'}" if others else ""
    rows, columns = ([harmless(value.label) for value in axis.values] for axis in (found.rows, found.columns))
    figures = [[NONE if cell is None else figure_of(cell, kind_of(goal)) for cell in row] for row in found.cells]
    cell_width = max(len(text) for row in (columns, *figures) for text in row) + 3
    margin = max(map(len, rows)) + 1
    yield Text(f"{NAMES[goal]}{mean}", style="bold")
    yield Text(f"rows: {harmless(found.rows.name)}, columns: {harmless(found.columns.name)}")
    is_wide = margin + len(columns) * (cell_width + 1) > width
    if is_wide:
        cell_width = 1
        if margin + len(columns) * 2 > width:
            yield Text(f"{len(columns):,} columns do not fit in {width}; --csv has the figures")
            yield Text()
            return
    if not is_wide:
        yield Text(" " * margin + "".join(f"{label:>{cell_width + 1}}" for label in columns), style="bold")
    else:
        yield Text(f"{' ' * margin} {columns[0]} … {columns[-1]}", style="bold")
    known = [cell for row in found.cells for cell in row if cell is not None]
    low, high = min(known), max(known)
    best_cell = (best.point[0], best.point[1])
    for row, label in enumerate(rows):
        line = Text(f"{label:>{margin - 1}} ", style="bold")
        for column, cell in enumerate(found.cells[row]):
            level = 0 if cell is None or high == low else round((cell - low) / (high - low) * (len(SHADES) - 1))
            mark = "*" if (row, column) == best_cell else ""
            shade = NONE if cell is None and is_wide else SHADES[level]
            text = mark or shade if is_wide else f"{mark}{shade}{figures[row][column]:>{cell_width - len(mark) - 1}}"
            line.append(" ").append(text, style=f"not bold {COLOURS[level]}".strip())
        yield line
    yield Text(
        f"* best; {SHADES[1]} to {SHADES[-1]} from {figure_of(low, kind_of(goal))} to {figure_of(high, kind_of(goal))}",
        style="dim",
    )
    yield Text()


def kind_of(goal: Goal) -> str:
    return "daily" if goal is Goal.SHARPE else "money"


def _line(report: SweepReport) -> Iterator[RenderableType]:
    """Draw the values of the only axis in their order, each with a bar from zero."""
    axis, goal = report.outcome.space.axes[0], report.outcome.goal
    labels = [harmless(value.label) for value in axis.values]
    longest, margin = max(abs(score) for score in report.scores.values()), max(map(len, labels))
    yield Text(f"{NAMES[goal]} by {harmless(axis.name)}", style="bold")
    for number, label in enumerate(labels):
        score = report.scores.get((number,))
        figure = "no trade" if score is None and (number,) in report.outcome.runs else figure_of(score, kind_of(goal))
        length = 0 if score is None or not longest else round(abs(score) / longest * BAR)
        bar = ("█" if score is not None and score > 0 else "░") * length
        yield Text(f"{label:>{margin}} {figure:>9} {bar}".rstrip())
    yield Text()


def plateau_lines(report: SweepReport, best: Plateau) -> Iterator[str]:
    space, kind = report.outcome.space, kind_of(report.outcome.goal)
    named = ", ".join(
        f"{axis.short_name} {label}" for axis, label in zip(space.axes, space.labels(best.point), strict=True)
    )
    yield harmless(f"best: {named}: {figure_of(best.score, kind)}")
    if best.mean is None:
        yield "no neighbour of it has a figure: whether it lies on a plateau is not known"
    else:
        yield (
            f"its {counted(best.neighbours, 'neighbour')}: mean {figure_of(best.mean, kind)}, "
            f"least {figure_of(best.least, kind)}"
        )
    if best.score <= 0:
        yield "no combination gained"
    if (trades := report.outcome.runs[best.point].trades) < FEWEST_TRADES:
        yield f"FEW TRADES: the best run has {trades}; under {FEWEST_TRADES} its figure can be chance"
    if len(report.scores) > 1 and len(set(report.scores.values())) == 1:
        yield "all runs give the same figure: these settings changed nothing on these bars"
    if best.is_peak is not None:
        yield (
            "ISOLATED PEAK: its neighbours do not share the gain; a small change of the market loses it"
            if best.is_peak
            else "a plateau: its neighbours share the gain"
        )
    if best.edges:
        yield harmless(f"it lies on the edge of {', '.join(best.edges)}: a better one may be outside")


def luck_lines(report: SweepReport) -> Iterator[str]:
    outcome, deflated, overfit = report.outcome, report.deflated, report.overfit
    yield f"trials of {outcome.strategy} ever: {report.trials:,}, {len(outcome.runs):,} of them in this sweep"
    if report.returns < LEAST_RETURNS:
        yield (
            f"deflated Sharpe ratio and probability of overfitting: {NONE}, they need {LEAST_RETURNS} daily returns, "
            f"there are {report.returns}"
        )
        return
    if deflated is None:
        yield f"deflated Sharpe ratio: {NONE}, the best run's returns are constant"
    else:
        yield (
            f"Sharpe ratio a day {deflated.sharpe:.4f}; the best of {deflated.trials:,} trials without skill is "
            f"expected at {deflated.expected_maximum:.4f} (their standard deviation {deflated.deviation:.4f}; skewness "
            f"{deflated.skewness:.2f}, kurtosis {deflated.kurtosis:.2f}, {deflated.returns:,} returns)"
        )
        yield (
            f"probability of a true Sharpe ratio above 0: {deflated.probabilistic * 100:.1f} %; "
            f"above that luck (deflated): {deflated.deflated * 100:.1f} %"
        )
    if overfit is None:
        yield f"probability of overfitting: {NONE}, it needs two runs"
    else:
        yield (
            f"probability of overfitting: {overfit.probability * 100:.1f} % of {overfit.splits:,} splits; the run "
            f"that is best in one half loses in the other in {overfit.loss * 100:.1f} %"
        )


def _walk_forward(report: SweepReport, found: WalkForward, width: int) -> Iterator[RenderableType]:
    yield Text("walk-forward: chosen in sample (train), traded out of sample (test)", style="bold")
    if not found.windows:
        yield Text("no window has a train figure: nothing was chosen; take longer windows")
        return
    yield fitting(window_columns(found), width, ("days", "purged", "trades"), 12)
    if found.not_chosen:
        yield Text(f"{counted(found.not_chosen, 'window')} without a train figure: left out")
    for line in _folded(joined_lines(found), width):
        yield Text(line)


def window_columns(found: WalkForward) -> dict[str, list[str]]:
    """Return the table of the windows: each column by its heading."""
    windows = found.windows
    return {
        "chosen": [" ".join(harmless(label) for label in window.labels) for window in windows],
        "test from": [f"{window.test.first}" for window in windows],
        "days": [f"{window.choice.window.test_end - window.choice.window.test_first:,}" for window in windows],
        "train": [value_of(window.train_return, "percent") for window in windows],
        "test ": [value_of(window.test_return, "percent") for window in windows],
        "Sh. train": [figure_of(window.train_sharpe, "daily") for window in windows],
        "Sh. test": [figure_of(window.test_sharpe, "daily") for window in windows],
        "trades": [f"{window.trades:,}" for window in windows],
        "purged": [f"{window.choice.purged:,}" for window in windows],
    }


def joined_lines(found: WalkForward) -> Iterator[str]:
    total = found.equity[-1] / found.equity[0] - 1 if found.equity[0] else None
    yield (
        f"joined out of sample: {len(found.days) - 1:,} days, {value_of(total, 'percent')}, "
        f"Sharpe ratio a day {figure_of(found.sharpe, 'daily')}"
    )
    kept = f"; out of sample keeps {found.efficiency * 100:.0f} %" if found.efficiency is not None else ""
    yield (
        f"mean return a day: in sample {_per_day(found.train_daily)}, out of sample {_per_day(found.test_daily)}{kept}"
    )


def _per_day(value: float | None) -> str:
    return NONE if value is None else f"{value * 100:.4f} %"


def _folded(lines: Iterator[str], width: int) -> Iterator[str]:
    for line in lines:
        yield from wrap(line, width, subsequent_indent="  ")
