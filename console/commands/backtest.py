"""`keyturn backtest`: recorded bars through the one engine without a desk, and how good a strategy was on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.shared import Overrides, composition_of, print_json
from core.ports import BacktestRequest


def backtest(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV files of one-minute or daily bars, each played for itself.")],
    strategy: Annotated[str | None, typer.Option(help="The one strategy that is on; else as the settings say.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Of files whose names do not begin with one.")] = None,
    overrides: Overrides = None,
    profile: Annotated[str | None, typer.Option(help="micro, swing or freqtrade.")] = None,
    without_frictions: Annotated[
        bool, typer.Option("--without-frictions", help="No slippage, partial fill, rejection, halt or interest.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Decides what goes wrong, and when.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, a list of them for several files.")
    ] = False,
) -> None:
    """Play bars through the engine on the simulated exchange, each proposal confirmed, and measure what came of it.

    Example: keyturn backtest SPY_daily_2008_on.csv --strategy sma --profile swing --html sma.html
    """
    request = BacktestRequest(
        files=tuple(files),
        strategy=strategy,
        symbol=symbol,
        overrides=(*((f"profile={profile}",) if profile is not None else ()), *(overrides or ())),
        has_frictions=not without_frictions,
        seed=seed,
    )
    found = composition_of(context).backtest(request, lambda name, done, whole: None)
    if as_json:
        print_json(found[0] if len(found) == 1 else found)
        raise typer.Exit(int(any("interrupted" in each for each in found)))
