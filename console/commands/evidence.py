"""`keyturn theses` and `keyturn regime-study`: what closed trades say of each strategy (AN-07)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.assembly.settings import settings_of
from console.commands.assembly.tables import checked_folder
from console.commands.backtest import progress
from console.commands.shared import Account, AsJson, JournalDir, TablesFolder, VixFile, host_of, say, tell, tell_of_bars
from core.model.values import Symbol
from core.ports import OperatorError
from state.accounts import journal_of
from state.files import Home

EMPTY = """no thesis yet: {file} does not exist. An example:

[long_trends]
says = "Trends of SPY that last a month go on"
strategy = "sma"
invalid_if = ["win rate < 45 % over 100 trades", "profit factor < 1 over 50 trades"]"""


def theses(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--file", help="The file of the theses; default: theses.toml beside the settings.")
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check the theses by the closed trades of the journal: ACTIVE, PENDING (too few trades) or INVALIDATED.

    A thesis is a sentence, a strategy, and criteria that refute it: win rate, profit factor, profit, expectancy or
    drawdown of its last trades. Entries that were not taken (paper trades) count apart, as of the engine's last night.
    Enabled strategies without a thesis are named. Works while the engine runs. Exit code 1 if a thesis is invalidated.

    Example: keyturn theses --account alpaca-paper
    """
    from core.model.thesis import Status
    from core.risk.theses import as_json as told
    from core.risk.theses import judged, lines_of
    from state.home_files import THESES, read_theses
    from state.past_days import paper_verdicts, trades_of_strategies

    checked_folder(csv)
    host = host_of(context)
    path, strategies = file or host.home.of_the_operator(THESES), settings_of(host).strategies
    if file is not None and not file.exists():
        raise OperatorError(f"--file {file}: no such file; check the path")
    found = read_theses(path, strategies.names)
    if not found and not as_json and csv is None:
        for line in EMPTY.format(file=path).splitlines():
            say(line)
        return
    journal = journal_of(host.home, account, journal_dir).journal
    trades, on_paper = trades_of_strategies(journal), paper_verdicts(journal, found)
    verdicts = [judged(thesis, trades.get(thesis.strategy, [])) for thesis in found] + on_paper
    named = {thesis.strategy for thesis in found}
    without = [name for name in strategies.names if strategies.of(name).enabled and name not in named]
    tell(as_json, lambda: told(verdicts, without), lines_of(verdicts, without), csv=csv)
    if any(verdict.status is Status.INVALIDATED for verdict in verdicts):
        raise typer.Exit(1)


MOST_STATES = 6
SPY = Symbol("SPY")


def regime_study(
    context: typer.Context,
    market: Annotated[
        Path | None,
        typer.Argument(help="CSV of the market's daily bars, as SPY_daily.csv; default: SPY's of `keyturn bars`."),
    ] = None,
    vix: VixFile = None,
    trades: Annotated[
        Path | None,
        typer.Option("--trades", metavar="FILE", help="Closed trades: trades.csv of `keyturn backtest --csv`."),
    ] = None,
    states: Annotated[int, typer.Option(min=2, max=MOST_STATES, help="States that each method looks for.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the methods' starts.")] = 1,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Find states of the market by k-means and a hidden Markov model, compare them with the desk's labels, and print
    what each state was like and what trades made in it.

    The states are fitted on all days of the file: they describe the past, and no order depends on them.

    Example: keyturn regime-study SPY_daily.csv --vix VIX_daily.csv --trades tables/trades.csv
    """
    from core.files.csv_files import read_daily_bars, read_daily_values, read_trades
    from core.market.calendar import load_calendar
    from core.market.csv_source import symbol_of
    from core.research.portfolio_risk.history import read_closes
    from core.research.regimes.study import study_of
    from core.research.regimes.study_text import as_json as told
    from core.research.regimes.study_text import lines_of

    checked_folder(csv)
    if market is None:
        market, vix = _own_files(host_of(context).home, vix)
        tell_of_bars([market] if vix is None else [market, vix])
    bars = read_daily_bars(market)
    symbol = symbol_of(market)
    if symbol is None:
        raise OperatorError(f"{market.name}: its name begins with no symbol; rename it, as SPY_daily.csv")
    read = read_closes(market, symbol)
    if split := next((jump for jump in read.jumps if jump.split), None):
        raise OperatorError(f"{split.in_words}; adjust the prices before it, or name a file that begins later")
    values = [] if vix is None else read_daily_values(vix)
    closed = [] if trades is None else read_trades(trades)
    calendar = load_calendar(read.days[0], max([read.days[-1], *(trade.closed_at.date() for trade in closed)]))
    with progress() as watch:
        study = study_of(
            symbol,
            dict(zip(read.days, read.adjusted, strict=True)),
            bars,
            values,
            closed,
            calendar.trading_day,
            states=states,
            seed=seed,
            watch=lambda done, whole: watch("models", done, whole),
        )
    result = told(study)
    notes = [gap.in_words for gap in read.gaps]
    tell(as_json, lambda: result, [*notes, *lines_of(study)], csv=csv)


def _own_files(home: Home, vix: Path | None) -> tuple[Path, Path | None]:
    """Return the daily files of the market and, unless one is named, of the VIX. Raises `OperatorError`."""
    from core.market.bar_folder import VIX, Period, file_of
    from state.bar_files import no_bars

    market = file_of(home.bar_folders, SPY, Period.DAY)
    if market is None:
        raise OperatorError(no_bars(home, [SPY], Period.DAY))
    return market, vix or file_of(home.bar_folders, VIX, Period.DAY)
