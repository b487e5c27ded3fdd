"""`keyturn protections`: which of them a history of closed trades would trip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.shared import AsJson, Overrides, chosen, composition_of, print_json, say
from core.ports import OperatorError

commands = typer.Typer(help="What shuts entries, and when.", no_args_is_help=True, rich_markup_mode=None)


@commands.callback()
def protections() -> None:
    """What shuts entries, and when."""


@commands.command()
def check(
    context: typer.Context,
    trades: Annotated[
        Path,
        typer.Option(
            "--trades",
            help="CSV: open_time,close_time,symbol,side,profit_ratio,exit_reason, in UTC; or the trades.csv of "
            "`keyturn backtest --csv`.",
        ),
    ],
    at: Annotated[str, typer.Option("--at", help="The instant that is asked about, UTC where it names no zone.")],
    profile: Annotated[str | None, typer.Option("--profile", help="micro, swing or freqtrade.")] = None,
    overrides: Overrides = None,
    is_json: AsJson = False,
) -> None:
    """Print how each protection that counts closed trades would stand at an instant, tripped ones first.

    Nothing is changed, and no engine is needed. A trade's profit_ratio is counted as a ratio, -0.01 a loss of
    1 %: there are no amounts. A loss without a peak above it is measured against an equity of one, that of every trade.

    Example: keyturn protections check --trades trades.csv --at 2026-11-20T15:00:00Z --profile freqtrade
    """
    from core.files.trades_file import moment_of
    from core.risk.protections import report

    moment = moment_of(at)
    if moment is None:
        raise OperatorError(f"--at {at}: is no time such as 2026-11-20T15:00:00Z")
    laid_over = (*chosen("--profile", "profile", profile), *(overrides or ()))
    answers = composition_of(context).protections(trades, moment, laid_over)
    if is_json:
        print_json(list(report.as_json(answers)))
        return
    for answer in answers:
        say(report.in_words(answer))
