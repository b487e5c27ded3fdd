"""`keyturn sweep`: many backtests with different settings, and how much of the best one is luck (AN-05)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.tables import checked_folder, write_tables
from console.commands.shared import (
    PICTURE,
    MarketFile,
    OnlyStrategy,
    Overrides,
    PageFile,
    Profile,
    TablesFolder,
    VixFile,
    WithoutFrictions,
    Zone,
    checked_page,
    chosen,
    host_of,
    print_json,
    say,
    tell_of_bars,
    write_page,
)
from core.model.text_sanitizer import harmless
from core.ports import OperatorError

if TYPE_CHECKING:
    from console.commands.assembly.sweep_runs import SweepOptions, SweepWatch
    from core.research.sweeps.report import SweepReport
    from core.research.sweeps.results import Goal
    from core.research.sweeps.walk_forward import WindowPlan

WIDEST = 110
"""The maximum width of the page, in columns."""
NARROW = 80
INTERRUPTED = 130


def sweep(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV or Parquet files of one-minute or daily bars, several played on one account; default: those of "
            "`keyturn bars`."
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", help="A setting and its values: KEY=START:STOP:STEP or KEY=A,B,C; may be repeated."),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="A ready-made space: entry-stop, half-hours or adaptive.")
    ] = None,
    random: Annotated[
        int | None, typer.Option("--random", min=1, help="Run so many combinations, drawn by the seed.")
    ] = None,
    sampler: Annotated[
        str | None, typer.Option("--sampler", help="optuna: choose combinations by the results so far, with --trials.")
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="Choices of the sampler.")] = None,
    by: Annotated[str, typer.Option("--by", help="Rank by sharpe (daily) or profit.")] = "sharpe",
    walk_forward: Annotated[
        str | None,
        typer.Option("--walk-forward", metavar="TRAIN,TEST", help="Windows in trading days, as in 250,60."),
    ] = None,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Begin every train window on the first day; otherwise it moves.")
    ] = False,
    embargo: Annotated[int, typer.Option("--embargo", min=0, help="Trading days left out before each test.")] = 0,
    strategy: OnlyStrategy = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol for a file whose name does not begin with one.")] = None,
    vix: VixFile = None,
    market: MarketFile = None,
    zone: Zone = "",
    overrides: Overrides = None,
    profile: Profile = None,
    without_frictions: WithoutFrictions = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated frictions and of the samplers.")] = 1,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes at once; default: one for each core.")
    ] = None,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster, as in tcp://10.0.0.2:8786.")
    ] = "",
    on: Annotated[
        str, typer.Option("--on", help="engine, or kernel: compiled, for what it models; the best run is on both.")
    ] = "engine",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    csv: TablesFolder = None,
    html: PageFile = None,
    png: Annotated[Path | None, typer.Option("--png", help="Write the heat map as a PNG.")] = None,
) -> None:
    """Run a backtest for each combination of settings, on all cores, and say how much of the best one is luck.

    A run that has finished is kept: the same command goes on where it was stopped. Every combination ever run counts as
    a trial of its strategy. The best one is run again on the engine, and must agree to the cent.

    Example: keyturn sweep SPY_daily.csv --strategy sma --profile swing --grid strategies.sma.stop_ranges=1:4:0.5
    --grid strategies.sma.regime_bars=50,100,200 --walk-forward 750,250
    """
    from console.commands.assembly.bar_sources import files_to_play
    from console.commands.assembly.engine_runs import BarFiles
    from console.commands.assembly.sweep_runs import SweepOptions
    from console.commands.assembly.sweep_space import HALF_HOURS, STUDIES, space_of

    checked_folder(csv)
    checked_page(html)
    checked_page(png, "--png", PICTURE)
    if cluster and workers is not None:
        raise OperatorError("--workers is of this machine, and --cluster has its own; leave out one of the two")
    space = space_of(grid or (), study, strategy)
    only = STUDIES[study].strategy if study is not None else None
    if only is not None and strategy not in (None, only):
        raise OperatorError(f"--strategy {strategy}: --study {study} is of {only}; leave out one of the two")
    laid_over = (*chosen("--profile", "profile", profile), *(overrides or ()))
    played = files_to_play(host_of(context), files, symbol, laid_over)
    tell_of_bars(played, are_named=bool(files))
    bars = BarFiles(
        files=played,
        strategy=only or strategy,
        symbol=symbol,
        overrides=laid_over,
        has_frictions=not without_frictions,
        seed=seed,
        vix=vix,
        market=market,
        zone=zone,
    )
    options = SweepOptions(
        bars=bars,
        space=space,
        goal=_goal(by),
        random=random,
        trials=_trials(sampler, trials, random),
        windows=_windows(walk_forward, embargo, is_anchored=anchored),
        workers=workers or os.cpu_count() or 1,
        cluster=cluster,
        on=on,
    )
    report = _swept(context, options)
    if csv is not None:
        write_tables(csv, _tables(report))
    if html is not None or png is not None:
        from console.commands.sweep_html import SweptBars, map_picture, page

        costs = "without frictions" if without_frictions else "with frictions"
        swept = SweptBars(", ".join(path.name for path in played), costs)
        if html is not None:
            write_page(html, page(report, swept))
        drawn = None if png is None else map_picture(report, swept)
        if png is not None and drawn is not None:
            write_page(png, drawn, "--png")
        elif png is not None:
            say("--png: no run has a figure to rank by, and nothing is written", err=True)
            png = None
    is_of_half_hours = study == HALF_HOURS and not grid
    if as_json:
        from core.research.sweeps.report import as_json as told

        print_json(told(report) | (_half_hours(report) if is_of_half_hours else {}))
    else:
        _show(report)
        if is_of_half_hours:
            _show_half_hours(report)
        for written in (csv, html, png):
            if written is not None:
                say(f"written: {written}")
    raise typer.Exit(int(bool(report.outcome.failed) or bool(report.difference)))


def _goal(by: str) -> Goal:
    from core.research.sweeps.results import Goal

    names = [goal.value for goal in Goal]
    if by not in names:
        raise OperatorError(f"--by {by}: one of {', '.join(names)}")
    return Goal(by)


def _trials(sampler: str | None, trials: int | None, random: int | None) -> int | None:
    """Return the number of choices of the sampler; None without one. Raises `OperatorError`."""
    if sampler not in (None, "optuna"):
        raise OperatorError(f"--sampler {sampler}: optuna is the only one")
    if (sampler is None) != (trials is None):
        raise OperatorError("--sampler optuna and --trials N belong together; give both, or none")
    if sampler is not None and random is not None:
        raise OperatorError("--random and --sampler exclude each other; leave out one of the two")
    return trials


def _windows(text: str | None, embargo: int, *, is_anchored: bool) -> WindowPlan | None:
    from core.research.sweeps.walk_forward import WindowPlan

    if text is None:
        if embargo or is_anchored:
            raise OperatorError("--embargo and --anchored are of --walk-forward TRAIN,TEST; add it")
        return None
    parts = [part.strip() for part in text.split(",")]
    days = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 6]  # noqa: PLR2004
    if len(parts) != 2 or len(days) != 2 or 0 in days:  # noqa: PLR2004
        raise OperatorError(f"--walk-forward {text}: write two numbers of trading days, as in 250,60")
    return WindowPlan(days[0], days[1], embargo, is_anchored)


def _swept(context: typer.Context, options: SweepOptions) -> SweepReport:
    from console.commands.assembly.sweep_runs import Sweep

    try:
        with _progress() as watch, Sweep(host_of(context), options, watch) as running:
            return running.run()
    except KeyboardInterrupt:
        say("interrupted: finished runs are kept, and the same command goes on from there", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _show(report: SweepReport) -> None:
    from rich.console import Console

    from console.commands.sweep_page import page

    console = Console(highlight=False)
    width = min(console.width, WIDEST)
    console.print(page(report, width), width=width, markup=False)


def _half_hours(report: SweepReport) -> dict[str, object]:
    """Return each half-hour with the answer of the test, and the windows of those that pass."""
    from core.research.sweeps.half_hours import TEST, half_hours_of, windows_of

    found = half_hours_of(report.outcome)
    rows = [
        {
            "start": each.start,
            "trades": each.trades,
            "win_rate": float(each.wins),
            "means": [float(mean) for mean in each.means],
            "passes": each.passes,
        }
        for each in found
    ]
    return {"half_hours": {"test": TEST, "each": rows, "windows": [str(window) for window in windows_of(found)]}}


def _show_half_hours(report: SweepReport) -> None:
    """Print the windows of the half-hours that pass, as lines of settings.toml; nothing is changed."""
    from core.research.sweeps.half_hours import TEST, half_hours_of, settings_lines, windows_of

    found = half_hours_of(report.outcome)
    windows = windows_of(found)
    say("")
    for line in wrap(f"windows: a half-hour passes with {TEST}", NARROW):
        say(line)
    for each in found:
        first, second = each.means
        figures = f"{each.wins * 100:>5.1f} % won, means {first:>8,.2f} and {second:>8,.2f} USD"
        say(f"  {each.start}  {each.trades:>5} trades  {figures}{'  passes' if each.passes else ''}")
    if not windows:
        say("none passes: keep the windows as they are")
        return
    say(f"chosen among {len(found)} on these bars: expect less of them on others")
    say("the account's window still holds; write into settings.toml, then reload the limits:")
    for line in ("", *settings_lines(report.outcome.strategy, windows)):
        say(line)


def _tables(report: SweepReport) -> Mapping[str, str]:
    """Return the tables of `--csv`; a run's settings are columns of its row, and the map is a table."""
    from core.research.sweeps.report import as_json, map_rows, rows_of
    from core.views.export import tables_of

    told = as_json(report) | {"runs": rows_of(report)}
    return dict(tables_of(told if report.map is None else told | {"heat_map": map_rows(report.map)}))


@contextmanager
def _progress() -> Iterator[SweepWatch]:
    """Show finished runs and the time left, only on a terminal; notes go to the error output."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from console.commands.assembly.sweep_runs import SweepWatch

    if not sys.stderr.isatty():
        yield SweepWatch(lambda _done, _whole: None, lambda line: say(line, err=True))
        return
    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("runs", total=None)
        yield SweepWatch(
            lambda done, whole: progress.update(bar, completed=done, total=whole),
            lambda line: progress.console.print(harmless(line), markup=False, highlight=False),
        )
