"""`keyturn risk`: what the positions held could lose, from the operator's daily files (AN-02)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.assembly.tables import checked_folder
from console.commands.backtest import progress
from console.commands.shared import (
    Account,
    AsJson,
    JournalDir,
    PageFile,
    TablesFolder,
    checked_page,
    host_of,
    tell,
    write_page,
)
from core.market.bar_folder import Period
from core.model.instrument import symbol_in
from core.model.values import Symbol
from core.ports import OperatorError
from state.accounts import journal_of
from state.files import DAILY

if TYPE_CHECKING:
    from core.research.portfolio_risk.portfolio import Position
    from core.research.portfolio_risk.scenario_file import AnyScenario

OLD_CLOSES = timedelta(days=7)
"""A history that ends longer before the journal is reported."""
SCENARIOS = "scenarios"
"""The folder of the operator's scenarios, beside the settings."""
MOST_SCENARIOS = 50


DailyFolder = Annotated[
    Path | None,
    typer.Option(
        "--history",
        metavar="FOLDER",
        help="Daily CSV files, as SPY.csv or VIX_daily.csv; default: those of `keyturn bars`, then the folder daily "
        "beside the settings.",
    ),
]
PositionsFile = Annotated[
    Path | None,
    typer.Option("--positions", metavar="FILE", help="CSV: symbol,quantity[,price]; default: the journal."),
]
PositionsDay = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], metavar="DAY", help="Day of the positions in FILE, to name old closes."),
]
Shocks = Annotated[
    list[str] | None,
    typer.Option("--shock", metavar="TEXT", help="As 'VIX to 40' or 'SPY -7 %, oil +20 %'; repeatable."),
]
DemoAccount = Annotated[
    str | None,
    typer.Option("--demo", metavar="ACCOUNT", hidden=True, help="The demo whose positions --positions has."),
]
PriceMoves = Annotated[
    list[str] | None,
    typer.Option("--no-split", metavar="SYMBOL:DAY", help="The jump of this day is a price move; repeatable."),
]


def risk(
    context: typer.Context,
    history: DailyFolder = None,
    positions: PositionsFile = None,
    on: PositionsDay = None,
    shocks: Shocks = None,
    moves: PriceMoves = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the Monte Carlo paths.")] = 1,
    account: Account = None,
    journal_dir: JournalDir = None,
    demo: DemoAccount = None,
    csv: TablesFolder = None,
    html: PageFile = None,
    as_json: AsJson = False,
) -> None:
    """Print what the positions could lose: by scenario, value at risk with its backtest, and correlations.

    Scenarios are those built in (October 2008, August 2015, March 2020), the files of the folder scenarios beside the
    settings, and each --shock; each with the positions that cause the loss. Positions are those at the end of the
    journal; the engine may run meanwhile. A position without a history is moved by its beta to SPY and marked. Exit
    code 1 if a position is in no figure: it has no price, or SPY has no history either.

    Example: keyturn risk --shock "VIX to 40" --shock "SPY -7 %, oil +20 %"
    """
    from core.market.bar_folder import simulated_in
    from core.research.portfolio_risk.betas import MOST_BETA
    from core.research.portfolio_risk.history import read_history
    from core.research.portfolio_risk.page import page
    from core.research.portfolio_risk.portfolio import netted
    from core.research.portfolio_risk.report import assess
    from core.research.portfolio_risk.report_text import as_json as told
    from core.research.portfolio_risk.report_text import lines_of
    from core.research.portfolio_risk.shock_text import Shock, parsed
    from state.bar_files import no_bars
    from state.home_files import BETAS, read_betas

    checked_folder(csv)
    checked_page(html)
    typed = [parsed(text) for text in shocks or ()]
    confirmed = [_move(text) for text in moves or ()]
    host = host_of(context)
    scenarios = _scenarios(host.home.of_the_operator(SCENARIOS))
    named = read_betas(host.home.of_the_operator(BETAS), MOST_BETA)
    source, day, found = _positions(host, positions, account, journal_dir)
    day = on.date() if on is not None else day
    held = netted(found)
    if not held:
        nothing = f"No positions in {source}: nothing is at risk."
        tell(as_json, lambda: {"source": source, "positions": []}, [nothing], csv=csv)
        return
    of_files = [each for each in scenarios if isinstance(each, Shock)]
    factors = [move.factor for shock in (*typed, *of_files) for move in shock.moves]
    symbols = [*(each.symbol for each in held), *factors]
    with progress() as watch, ExitStack() as stack:
        files = read_history(
            _folders(host, history, demo or source, symbols, day, stack),
            symbols,
            confirmed,
            lambda done, whole: watch("files", done, whole),
            named,
        )
        report = assess(
            held, files, typed, scenarios, seed=seed, watch=lambda done, whole: watch("figures", done, whole)
        )
    names = sorted(path.name for path in files.files.values())
    result = {"source": source, "held_on": day, "files": names, **told(report)}
    lines = [f"Positions of {source}" + (f", {'of' if on else 'journal to'} {day}" if day else "")]
    if day is not None and day - report.as_of > OLD_CLOSES:
        lines.append(
            f"OLD CLOSES: the history ends {(day - report.as_of).days} days before; bring its files up to date"
        )
    if warning := simulated_in(names):
        lines.append(warning)
    if html is not None:
        write_page(html, page(report, source, warning))
    lacking = [] if history else [symbol for symbol in dict.fromkeys(symbols) if symbol not in files.files]
    advice = [no_bars(host.home, lacking, Period.DAY)] if lacking else []
    tell(as_json, lambda: result, [*lines, *lines_of(report), *advice], html, csv=csv)
    if report.left_out:
        raise typer.Exit(1)


def _folders(
    host: Host, named: Path | None, account: str, symbols: Sequence[Symbol], day: date | None, stack: ExitStack
) -> Sequence[Path]:
    """Return the folders of daily files; of a demo without the operator's, one with its own bars until the end.

    Raises `OperatorError`.
    """
    from core.runtime.demo import demo_market, seed_of
    from core.runtime.demo_history import daily_files
    from state.bar_files import require_folders
    from state.simulated_logs import lines_of

    if named is not None:
        if not named.is_dir():
            raise OperatorError(f"--history {named}: is no folder; name one that holds daily CSV files such as SPY.csv")
        return (named,)
    seed = None if host.home.of_the_operator(DAILY).is_dir() else seed_of(account)
    if seed is None or day is None:
        return require_folders(host.home, symbols, Period.DAY)
    market = demo_market([record for record, _ in islice(lines_of(host.home.account(account).exchange), 1)])
    made = Path(stack.enter_context(TemporaryDirectory()))
    for name, text in daily_files(market, seed, symbols, day):
        (made / name).write_text(text)
    return (made,)


def _scenarios(folder: Path) -> tuple[AnyScenario, ...]:
    """Return the scenarios built in and those of the operator's folder. Raises `OperatorError` with file and key.

    A file of the folder replaces the built-in one of its name.
    """
    from core.research.portfolio_risk.scenario_file import BUILT_IN, scenario_of, without_repeats
    from state.files import tables_of

    own = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if len(own) > MOST_SCENARIOS:
        raise OperatorError(f"{folder}: {len(own)} files, {MOST_SCENARIOS} at most; move some of them away")
    files = {path.name: path for path in (*sorted(BUILT_IN.glob("*.toml")), *own)}
    return without_repeats(
        (place, scenario_of(tables_of(path, "scenario", OperatorError), place))
        for path in files.values()
        for place in [f"{path.parent.name}/{path.name}"]
    )


def _positions(
    host: Host, file: Path | None, account: str | None, journal_dir: Path | None
) -> tuple[str, date | None, Sequence[Position]]:
    """Return where the positions are from, the journal's last day, and the positions. Raises `OperatorError`."""
    from core.research.portfolio_risk.portfolio import Position, read_positions
    from state.past_days import held

    if file is not None:
        if account is not None or journal_dir is not None:
            raise OperatorError("--positions names the positions; leave out --account and --journal-dir")
        return file.name, None, read_positions(file)
    folder = journal_of(host.home, account, journal_dir)
    found = held(folder.journal)
    rows = [Position(symbol, quantity, found.prices.get(symbol)) for symbol, quantity in found.quantities.items()]
    return folder.name, found.day, rows


def _move(text: str) -> tuple[Symbol, date]:
    """Parse `AAPL:2020-08-31`. Raises `OperatorError`."""
    name, _, day = text.partition(":")
    symbol = symbol_in(name)
    try:
        if symbol is not None:
            return symbol, date.fromisoformat(day)
    except ValueError:
        pass
    raise OperatorError(f"--no-split {text}: write symbol and day, as AAPL:2020-08-31")
