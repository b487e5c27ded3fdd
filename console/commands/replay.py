"""`keyturn replay`: recorded bars and quotes through the engine, with the result as JSON."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from console.commands.assembly.desks import run_headless
from console.commands.assembly.host import Host
from console.commands.assembly.recordings import ReplayOptions, replay_runtime
from console.commands.assembly.settings import display_of
from console.commands.shared import (
    MarketFile,
    Overrides,
    VixFile,
    Zone,
    cents,
    chosen,
    counted,
    host_of,
    speed_of,
    tell,
)
from console.start import prepare
from core.analytics.presentation import of_what_is_modelled
from state.files import JournalFolder


def replay(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="CSV files of one-minute or daily bars; each name begins with the symbol.")
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
    profile: Annotated[str | None, typer.Option(help="Settings profile: micro, swing or freqtrade.")] = None,
    speed: Annotated[
        str | None, typer.Option(help="Virtual seconds per second, or max. Default: 1; headless: max.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Run without a desk.")] = False,
    operator: Annotated[str, typer.Option(help="none, confirm-all, or the file of a key script.")] = "none",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
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
    report = _played(host, options)
    tell(as_json, lambda: report, _in_words(report))
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
