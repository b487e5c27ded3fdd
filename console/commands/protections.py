"""The commands `keyturn protections` and `keyturn regime`: what risk rules say without an engine."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.engines import vix_of
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.assembly.tables import checked_folder
from console.commands.shared import AsJson, Overrides, Profile, TablesFolder, chosen, host_of, tell
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.risk.protections.protection import Answer


commands = typer.Typer(help="Check which protections block entries.", no_args_is_help=True, rich_markup_mode=None)


@commands.callback()
def protections() -> None:
    """Check which protections block entries."""


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
    at: Annotated[str, typer.Option("--at", help="The time to check; UTC if it has no zone.")],
    profile: Profile = None,
    overrides: Overrides = None,
    csv: TablesFolder = None,
    is_json: AsJson = False,
) -> None:
    """Print the state of each protection that counts closed trades at an instant, tripped ones first.

    Nothing is changed, and no engine is needed. A trade's profit_ratio is counted as a ratio, -0.01 a loss of 1 %:
    there are no amounts. A loss without an earlier peak is measured against an equity of one, the same as for every
    trade.

    Example: keyturn protections check --trades trades.csv --at 2026-11-20T15:00:00Z --profile freqtrade
    """
    from core.files.csv_files import moment_of
    from core.risk.protections import protection_registry

    checked_folder(csv)
    moment = moment_of(at)
    if moment is None:
        raise OperatorError(f"--at {at}: is no time such as 2026-11-20T15:00:00Z")
    laid_over = (*chosen("--profile", "profile", profile), *(overrides or ()))
    answers = _answers(host_of(context), trades, moment, laid_over)
    tell(is_json, lambda: [*protection_registry.as_json(answers)], map(protection_registry.in_words, answers), csv=csv)


def _answers(host: Host, trades: Path, at: datetime, overrides: tuple[str, ...]) -> tuple[Answer, ...]:
    """Return the state of the configured protections at an instant, after a history of trades."""
    from core.files.csv_files import read_trades
    from core.market.calendar import load_calendar
    from core.risk.protections.frequency import business_days
    from core.risk.protections.protection_registry import answers_at

    history, settings = read_trades(trades), settings_of(host, overrides).risk.protections
    if not history or not settings.day_trades.enabled:  # only business days need a calendar, which loads slowly
        return answers_at(history, at, settings)
    calendar = load_calendar(history[0].closed_at.date() - timedelta(days=1), max(at, history[-1].closed_at).date())
    return answers_at(history, at, settings, business_days(calendar))


def regime(
    context: typer.Context,
    vix: Annotated[
        Path | None, typer.Option("--vix", help="CSV (date,close); default: the source in the settings.")
    ] = None,
    bars: Annotated[Path | None, typer.Option("--bars", help="CSV of SPY's daily bars (date,high,low,close).")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Print changes from this day on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Treat this day as the last one.")] = None,
    overrides: Overrides = None,
    csv: TablesFolder = None,
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

    checked_folder(csv)
    host, query = host_of(context), RegimeQuery(vix, bars, _day("--since", since), _day("--until", until))
    settings = settings_of(host, tuple(overrides or ()))
    found = look(query, settings, vix_of(host, settings), utc_now())
    tell(is_json, lambda: regime.as_json(found), regime.in_lines(found), csv=csv)
    if found.failure:
        raise typer.Exit(1)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"{option} {text}: is no day such as 2020-02-24") from None
