"""`keyturn backtest`: recorded bars through the engine without a desk, and the strategy's performance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.backtests import BacktestOptions, backtested
from console.commands.shared import (
    MarketFile,
    OnlyStrategy,
    Overrides,
    Profile,
    VixFile,
    WithoutFrictions,
    Zone,
    checked_page,
    chosen,
    host_of,
    print_json,
    say,
    tell_of_bars,
)
from core.ports import OperatorError

if TYPE_CHECKING:
    from console.commands.assembly.backtests import Watch

WIDEST = 110
"""The maximum width of the page, in columns."""


def backtest(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV or Parquet files of one-minute or daily bars, each tested separately; default: those of "
            "`keyturn bars`."
        ),
    ] = None,
    strategy: OnlyStrategy = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol for files whose names do not begin with one.")] = None,
    vix: VixFile = None,
    market: MarketFile = None,
    zone: Zone = "",
    overrides: Overrides = None,
    profile: Profile = None,
    without_frictions: WithoutFrictions = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated frictions.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object, or a list for several files.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write CSV tables to this new or empty folder.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a self-contained HTML page to this new file.")
    ] = None,
) -> None:
    """Play bars through the engine on the simulated exchange, confirm every proposal, and measure the performance.

    Example: keyturn backtest SPY_daily_2008_on.csv --strategy sma --profile swing --html sma.html
    """
    from console.commands.assembly.bar_sources import files_to_play

    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        raise OperatorError(f"--html {html}: its name ends with .html, so that no other file is written over")
    checked_page(html)
    laid_over = (*chosen("--profile", "profile", profile), *(overrides or ()))
    played = files_to_play(host_of(context), files, symbol, laid_over)
    tell_of_bars(played, are_named=bool(files))
    options = BacktestOptions(
        files=played,
        strategy=strategy,
        symbol=symbol,
        overrides=laid_over,
        has_frictions=not without_frictions,
        seed=seed,
        tables_folder=csv,
        page_file=html,
        vix=vix,
        market=market,
        zone=zone,
    )
    with progress() as watch:
        found = backtested(host_of(context), options, watch)
    if as_json:
        print_json(found[0] if len(found) == 1 else found)
    else:
        _show(found)
        for written in (csv, html):
            if written is not None:
                say(f"written: {written}")
    raise typer.Exit(int(any("interrupted" in each for each in found)))


def _show(found: list[dict[str, object]]) -> None:
    from rich.console import Console

    from console.commands.backtest_page import beside_each_other, page

    console = Console(highlight=False)
    width = min(console.width, WIDEST)
    console.print(
        page(found[0], width) if len(found) == 1 else beside_each_other(found, width), width=width, markup=False
    )


@contextmanager
def progress() -> Iterator[Watch]:
    """Show a progress bar per name, only on a terminal: scripts read the output."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from core.model.text_sanitizer import harmless

    bars: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), transient=True) as progress:

        def watch(name: str, done: int, whole: int) -> None:
            if name not in bars:
                bars[name] = progress.add_task(harmless(name), total=whole)
            progress.update(bars[name], completed=done)

        yield watch
