"""`keyturn bars`: past bars of the broker, or of the built-in exchange, into the folder that research reads (MD-11)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from console.commands.backtest import progress
from console.commands.shared import AsJson, chosen, host_of, print_json, say
from core.market.bar_folder import Period, Prices
from core.ports import OperatorError

INTERRUPTED = 130


def bars(
    context: typer.Context,
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL", help="As SPY; VIX has daily closes only.")],
    minutes: Annotated[bool, typer.Option("--minutes", help="Bars of one minute.")] = False,
    days: Annotated[bool, typer.Option("--days", help="Bars of one day.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="First day; default: the first of the file, for a new one a year of minutes or ten of days ago.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DAY", help="Last day; default: the newest."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Prices as traded; default: adjusted for splits.")] = False,
    feed: Annotated[
        str | None,
        typer.Option("--feed", help="iex or sip; default: alpaca.feed. The past of sip needs no subscription."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write past bars into the folder that backtest, sweep, risk and regime-study read, or bring its files up to date.

    A file's name says what it has: SPY_daily_adjusted_iex.csv. An interrupted run goes on where it stopped. After a
    split an adjusted file is fetched anew. `keyturn --simulated bars` has the built-in exchange make them.
    Exit code 1 if a symbol has none.

    Example: keyturn bars SPY QQQ --days --since 2016-01-04
    """
    from console.commands.assembly.bar_sources import KEPT, BarRequest, bar_files

    if minutes is days:
        raise OperatorError("name --minutes or --days, one of the two")
    request = BarRequest(
        symbols=tuple(symbols),
        period=Period.DAY if days else Period.MINUTE,
        prices=Prices.RAW if raw else Prices.ADJUSTED,
        since=_day(since),
        until=_day(until),
        overrides=chosen("--feed", "alpaca.feed", feed),
    )
    found = []
    try:
        with progress() as watch:
            for each in bar_files(host_of(context), request, watch):
                found.append(each)
                if not as_json:
                    say(each.in_words)
    except KeyboardInterrupt:
        say(f"interrupted: {KEPT}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json([each.as_json() for each in found])
    raise typer.Exit(int(any(each.fault for each in found)))


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.date()
