"""`keyturn regime`: the market regime, and its changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from console.commands.assembly.engines import vix_of
from console.commands.assembly.settings import settings_of
from console.commands.shared import AsJson, Overrides, host_of, tell
from core.ports import OperatorError


def regime(
    context: typer.Context,
    vix: Annotated[
        Path | None, typer.Option("--vix", help="CSV (date,close); default: the source in the settings.")
    ] = None,
    bars: Annotated[Path | None, typer.Option("--bars", help="CSV of SPY's daily bars (date,high,low,close).")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Print changes from this day on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Treat this day as the last one.")] = None,
    overrides: Overrides = None,
    is_json: AsJson = False,
) -> None:
    """Print the VIX with its level, the market's trend and volatility, and every change of them.

    Exit code 1 if the VIX was needed and could not be fetched.

    Nothing is changed, and no engine is needed.

    Example: keyturn regime --vix VIX_daily.csv --bars SPY_daily.csv --since 2020-02-01 --until 2020-04-30
    """
    from core.io.wall_clock import utc_now
    from core.risk import regime
    from core.runtime.feed import RegimeQuery, look

    host, query = host_of(context), RegimeQuery(vix, bars, _day("--since", since), _day("--until", until))
    settings = settings_of(host, tuple(overrides or ()))
    found = look(query, settings, vix_of(host, settings), utc_now())
    tell(is_json, lambda: regime.as_json(found), regime.in_lines(found))
    if found.failure:
        raise typer.Exit(1)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"{option} {text}: is no day such as 2020-02-24") from None
