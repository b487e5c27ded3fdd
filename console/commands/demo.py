"""The commands `keyturn demo` and `keyturn replay`: the simulated exchange and recorded markets."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.commands.assembly.desks import open_demo, prepare, run_demo, run_headless
from console.commands.assembly.host import Host
from console.commands.assembly.recordings import ReplayOptions, replay_runtime
from console.commands.assembly.settings import display_of
from console.commands.assembly.simulated import DemoOptions
from console.commands.assembly.tables import checked_folder
from console.commands.shared import (
    FASTEST,
    MarketFile,
    Overrides,
    Profile,
    TablesFolder,
    VixFile,
    Zone,
    cents,
    chosen,
    counted,
    host_of,
    speed_of,
    tell,
)
from core.analytics.presentation import of_what_is_modelled
from core.ports import OperatorError
from state.files import JournalFolder


class DemoProfile(StrEnum):
    SWING = "swing"
    MICRO = "micro"


class FrictionPreset(StrEnum):
    NONE = "none"
    REALISTIC = "realistic"


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the market; each seed has a separate account.")] = 1,
    speed: Annotated[str, typer.Option(help="Virtual seconds per second; ×1 while a ticket is open.")] = "1",
    operator: Annotated[str, typer.Option(help="none, confirm-all, or the file of a key script.")] = "none",
    profile: Annotated[
        DemoProfile | None,
        typer.Option(help="swing: 100,000 USD, eight shares, a lively market; micro: 200 USD, SPY, a calm one."),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Run without a desk until a signal ends it.")] = False,
    stress: Annotated[
        bool,
        typer.Option("--stress", help="30 positions, 60 orders, 12 strategies, 2,000 quotes a second in 20 symbols."),
    ] = False,
    watch: Annotated[
        int,
        typer.Option(
            min=0, max=200, help="With --stress: a watchlist of this many symbols with 5,000 quotes a second."
        ),
    ] = 0,
    vix: VixFile = None,
    market: MarketFile = None,
    frictions: Annotated[
        FrictionPreset | None,
        typer.Option(
            help="realistic: slippage of 2 to 10 basis points by size, partial fills, rejections, halts, interest."
        ),
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Open the desk on the simulated exchange. It continues where it was left.

    A new account has 100,000 USD, three positions and a lively market; with --profile micro 200 USD.
    Eight symbols are listed: AAPL, BAC, IBM, IWM, MSFT, QQQ, SPY, XOM; / in an order form shows them.

    With --operator confirm-all it is the busy demo: delayed answers, and more entries a day unless --profile is named.

    An account keeps the frictions with which it was opened; the first line of its desk says FRICTIONS.

    With --stress it is the stress desk, on the account `stress`: prepared by a scripted operator in a market that stays
    at its level and never closes. It is reset at each opening.

    Examples: keyturn demo --seed 7 --speed 10, keyturn demo --stress --speed 60
    """
    if stress and operator != "none":
        raise OperatorError("--stress brings its own operator; leave --operator out")
    if watch and not stress:
        raise OperatorError("--watch is the stress desk's: add --stress; in another, a adds a symbol to the list")
    if stress and profile:
        raise OperatorError("--stress brings its own account; leave --profile out")
    if stress and (vix or market):
        raise OperatorError("--stress brings its own market; leave --vix and --market out")
    if not headless:
        prepare()
    begin = run_demo if headless else open_demo
    options = DemoOptions(
        seed=seed,
        speed=speed_of(speed) or float(FASTEST),
        operator=operator,
        profile=None if profile is None else profile.value,
        overrides=(*chosen("--frictions", "exchange.frictions", frictions), *(overrides or ())),
        vix=vix,
        market=market,
        watched=watch,
    )
    begin(host_of(context), options, is_stress=stress)


def replay(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(help="CSV or Parquet files of one-minute or daily bars; each name begins with the symbol."),
    ],
    symbol: Annotated[
        list[str] | None, typer.Option(help="Symbol to trade instead of the profile's; repeatable.")
    ] = None,
    quotes: Annotated[list[Path] | None, typer.Option(help="CSV file of quotes, the last of each minute.")] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="Run only this strategy, enabled or not; repeatable. Default: the enabled ones."),
    ] = None,
    vix: VixFile = None,
    market: MarketFile = None,
    zone: Zone = "",
    overrides: Overrides = None,
    profile: Profile = None,
    speed: Annotated[
        str | None, typer.Option(help="Virtual seconds per second, or max. Default: 1; headless: max.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Run without a desk.")] = False,
    operator: Annotated[str, typer.Option(help="none, confirm-all, or the file of a key script.")] = "none",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    csv: TablesFolder = None,
    journal_dir: Annotated[Path | None, typer.Option(help="Write the journal to this new or empty folder.")] = None,
    deadlines: Annotated[
        Path | None, typer.Option(help="Journal folder of another run: repeat its missed deadlines.")
    ] = None,
) -> None:
    """Play bars (and quotes) through the engine on the simulated exchange.

    A script of keys is a text file with one key per line: `at TIME key KEY` (ISO 8601, in UTC) or `after SECONDS key
    KEY` (since the previous line). Keys: enter B H S C x c d F ctrl+k K escape REARM; they act on the first entry of
    their list.

    Example: keyturn replay SPY_1min_2013-10-07_to_2013-10-10.csv --headless --operator confirm-all --json
    """
    if not headless:
        prepare()
    host = host_of(context)
    options = ReplayOptions(
        files=tuple(files),
        symbols=tuple(symbol or ()),
        quotes=tuple(quotes or ()),
        strategies=tuple(strategy or ()),
        overrides=(*chosen("--profile", "profile", profile), *(overrides or ())),
        speed=speed_of(speed or ("max" if headless else "1")),
        operator=operator,
        journal_folder=journal_dir,
        deadlines=deadlines,
        vix=vix,
        market=market,
        zone=zone,
    )
    if not headless:
        from console.client.handle import EngineHandle
        from console.run import run_desk

        run_desk(
            EngineHandle(lambda stack: replay_runtime(host, options, stack)),
            display=display_of(host, options.overrides),
        )
        return
    checked_folder(csv)
    report = _played(host, options)
    tell(as_json, lambda: report, _in_words(report), csv=csv)
    if as_json and "interrupted" in report:
        raise typer.Exit(1)


def _in_words(report: dict[str, object]) -> list[str]:
    def many(name: str) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = report[name]  # type: ignore[assignment]
        return rows

    first = f", the first {report['first_quarantined']}" if report["quarantined"] else ""
    outside = f", {report['outside_session']} outside of every session" if report["outside_session"] else ""
    aside = counted(report["quarantined"], "row")
    lines = [f"{counted(report['bars'], 'complete regular bar')}{outside}, {aside} set aside{first}"]
    for row in many("proposals"):
        what = f"{row['side'].upper()} {row['quantity']} {row['symbol']} to {row['effect']}"
        lines.append(f"proposal {row['time']} {what}: {row['reason']}")
    for row in many("orders"):
        what = f"{row['side'].upper()} {row['quantity']} {row['symbol']} {row['type']}"
        lines.append(f"order    {row['client_order_id']} {what} {row['status']}")
    for row in many("trades"):
        prices = f"{row['entry_price']} → {row['exit_price']}"
        lines.append(f"trade    {row['symbol']} {prices} {row['exit_reason']} profit {cents(row['profit'])}")
    lines += of_what_is_modelled(report)
    if "interrupted" in report:
        lines.append("INTERRUPTED: the files were not played to their end; run it again")
    return [*lines, f"fingerprint {report['fingerprint']}"]


def _played(host: Host, options: ReplayOptions) -> dict[str, object]:
    """Play the files to their end, and return the report."""
    from core.runtime.replay_report import Report, open_positions, tallied
    from state.journal_inspection import fingerprint

    with ExitStack() as stack:
        runtime = replay_runtime(host, options, stack)
        report = Report(runtime.engine.state)
        is_whole = run_headless(runtime, "replayed")
        journal = runtime.engine.state.journal
        if options.journal_folder is not None:
            told = report.as_json(fingerprint(JournalFolder(options.journal_folder)))
        else:
            told = report.as_json(journal.fingerprint())  # type: ignore[attr-defined]
        told["modelled"] = tallied(runtime.exchange)
        told["open"] = list(open_positions(runtime.engine.state, runtime.exchange, runtime.at))
        return told if is_whole else {**told, "interrupted": True}
