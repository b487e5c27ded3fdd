"""The HTML page of a sweep: the map of two settings, how much is luck, the walk-forward, the best runs (AN-05)."""

from __future__ import annotations

from collections.abc import Iterator

from console.commands.sweep_page import (
    COLUMNS,
    NAMES,
    counted_runs,
    figure_of,
    joined_lines,
    kind_of,
    luck_lines,
    plateau_lines,
    window_columns,
)
from core.analytics import charts
from core.analytics.charts import FIRST, SECOND, Draw, chart, picture
from core.analytics.presentation import document, escaped, figures, paragraphs, sampled_places, table
from core.model.lazy_dataclass import dataclass
from core.research.sweeps.plateau import Plateau
from core.research.sweeps.report import SweepReport, figures_of
from core.research.sweeps.results import RunResult
from core.research.sweeps.walk_forward import WalkForward

PICTURE_TITLE = "Keyturn sweep"
"""Begins the title within a PNG."""
SHOWN_RUNS = 50
"""The best runs in the table; --json and --csv have all."""
POINTS = 700
"""The most points of a curve: a wide screen has few more columns."""
LOW, ROW = 1.9, 0.28
"""Inches of a low chart, and of a row of the map."""
MOST_ROWS = 40
"""Rows of the map with a height of their own."""


@dataclass(frozen=True, slots=True)
class SweptBars:
    """What was played, as each chart states it: the files' names and the costs."""

    files: str
    costs: str


def page(report: SweepReport, bars: SweptBars) -> str:
    """Return the complete file."""
    return document("Keyturn sweep", _parts(report, bars), charts.STYLE)


def _parts(report: SweepReport, bars: SweptBars) -> Iterator[str]:
    outcome = report.outcome
    axes = " × ".join(axis.name for axis in outcome.space.axes)
    yield "<h2>" + escaped(f"{outcome.strategy or 'no strategy'}: {axes}") + "</h2>"
    yield from paragraphs([f"{bars.files}, {bars.costs}. {counted_runs(report)}."])
    if report.best is None:
        yield from paragraphs(["No run has a figure to rank by."])
        yield from _without(report)
        return
    stated = _stated(report, bars)
    drawn = _map(report, report.best, stated)
    yield chart("map", drawn.title, drawn.caption, drawn.draw, drawn.height)
    yield from paragraphs(plateau_lines(report, report.best))
    yield from _luck(report, stated)
    yield from paragraphs(luck_lines(report))
    best = outcome.runs[report.best.point]
    yield _equity("best", "Equity of the best run, USD", best, f"In sample: it was chosen by these days. {stated}")
    if report.walk_forward is not None:
        yield from _walk_forward(report.walk_forward, stated)
    yield from _runs(report)
    yield from _without(report)
    yield from paragraphs([f"The best run again on the engine: difference {report.difference:.2f} USD."])


def map_picture(report: SweepReport, bars: SweptBars) -> bytes | None:
    """Return the map as a PNG; None if no run has a figure."""
    if report.best is None:
        return None
    drawn = _map(report, report.best, _stated(report, bars))
    return picture(
        f"{PICTURE_TITLE}, {report.outcome.strategy}: {drawn.title}", drawn.caption, drawn.draw, drawn.height
    )


def _stated(report: SweepReport, bars: SweptBars) -> str:
    """Return the data, the period, the costs and the trials behind every chart."""
    days = next(iter(report.outcome.runs.values())).trading_days
    return f"{bars.files}, {days[0]} to {days[-1]}, {bars.costs}; {report.trials:,} trials ever."


@dataclass(frozen=True, slots=True)
class _Map:
    """The map, drawn on the page and as a PNG. `height` is in inches."""

    title: str
    caption: str
    draw: Draw
    height: float


def _map(report: SweepReport, best: Plateau, stated: str) -> _Map:
    goal, outcome = report.outcome.goal, report.outcome
    if report.map is not None:
        rows, columns = report.map.rows, report.map.columns
        others = len(outcome.space.axes) - 2
        mean = f" Each cell is the mean over {others} more." if others else ""
        title = f"{NAMES[goal]}: {rows.short_name} (down) by {columns.short_name} (across)"
        draw = charts.heat_map(
            report.map.cells,
            [value.label for value in rows.values],
            [value.label for value in columns.values],
            (best.point[0], best.point[1]),
            lambda figure: figure_of(figure, kind_of(goal)),
        )
        height = max(LOW, 0.8 + ROW * min(len(rows.values), MOST_ROWS))
        return _Map(title, f"The frame is the best run.{mean} {stated}", draw, height)
    axis = outcome.space.axes[0]
    scores = [report.scores.get((at,)) for at in range(len(axis.values))]
    draw = charts.heat_map(
        [scores], [""], [v.label for v in axis.values], (0, best.point[0]), lambda f: figure_of(f, kind_of(goal))
    )
    return _Map(f"{NAMES[goal]} by {axis.short_name}", f"The frame is the best run. {stated}", draw, LOW)


def _luck(report: SweepReport, stated: str) -> Iterator[str]:
    """Yield the figures of all runs beside the best, and the one that luck alone would give."""
    best, deflated = report.best, report.deflated
    if best is None or len(report.scores) < 2:  # noqa: PLR2004
        return
    levels = [("best", best.score, FIRST)]
    if deflated is not None and kind_of(report.outcome.goal) == "daily":
        levels.append(("luck alone", deflated.expected_maximum, SECOND))
    draw = charts.distribution(list(report.scores.values()), "runs", levels)
    yield chart("luck", f"{NAMES[report.outcome.goal]} of each run", stated, draw, LOW)


def _equity(name: str, title: str, run: RunResult | WalkForward, caption: str) -> str:
    places = sampled_places(len(run.days), POINTS)
    days, equity = [run.days[at] for at in places], [run.equity[at] for at in places]
    draw: Draw = charts.lines(days, [("equity", equity, FIRST)], charts.dollars)
    return chart(name, title, caption, draw, LOW)


def _walk_forward(found: WalkForward, stated: str) -> Iterator[str]:
    yield "<h3>Walk-forward</h3>"
    if not found.windows:
        yield from paragraphs(["No window has a train figure: nothing was chosen."])
        return
    caption = f"Out of sample: each window was traded with what was best before it. {stated}"
    yield _equity("forward", "Equity of the joined test windows, USD", found, caption)
    yield from paragraphs(joined_lines(found))
    columns = window_columns(found)
    yield figures(list(columns), list(zip(*columns.values(), strict=True)))


def _runs(report: SweepReport) -> Iterator[str]:
    space, shown = report.outcome.space, report.order[:SHOWN_RUNS]
    yield "<h3>" + escaped(f"The best {len(shown):,} of {len(report.order):,} runs") + "</h3>"
    rows = []
    for point in shown:
        found = figures_of(report.outcome.runs[point])
        cells = [figure_of(found[key], kind) for _, key, kind in COLUMNS]
        rows.append([" ".join(space.labels(point)), *cells])
    yield figures([" ".join(axis.short_name for axis in space.axes), *(name for name, _, _ in COLUMNS)], rows)


def _without(report: SweepReport) -> Iterator[str]:
    """Yield the combinations without a result, with the reason."""
    outcome = report.outcome
    rows = [
        (what, " ".join(outcome.space.labels(point)), reason)
        for what, found in (("rejected", outcome.rejected), ("failed", outcome.failed))
        for point, reason in found.items()
    ]
    if rows:
        yield "<h3>Combinations without a result</h3>" + table(rows, ("", "settings", "reason"))
