"""`keyturn theses` and `keyturn regime-study`: what closed trades say of each strategy (AN-07)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.settings import settings_of
from console.commands.assembly.tables import checked_folder
from console.commands.backtest import progress
from console.commands.shared import Account, AsJson, JournalDir, TablesFolder, VixFile, host_of, say, tell, tell_of_bars
from core.model.values import Symbol
from core.ports import OperatorError
from state.accounts import journal_of
from state.files import Home

if TYPE_CHECKING:
    from core.research.portfolio_risk.history import Closes

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
    from core.model.signal import FAILED_WORDS
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
    failed = trades.get(FAILED_WORDS, [])
    tell(as_json, lambda: told(verdicts, without, failed), lines_of(verdicts, without, failed), csv=csv)
    if any(verdict.status is Status.INVALIDATED for verdict in verdicts):
        raise typer.Exit(1)


MOST_STATES = 6
MarketBars = Annotated[
    Path | None,
    typer.Argument(help="CSV of the market's daily bars, as SPY_daily.csv; default: those of `keyturn bars`."),
]
SPY = Symbol("SPY")


def regime_study(
    context: typer.Context,
    market: MarketBars = None,
    vix: VixFile = None,
    trades: Annotated[
        Path | None,
        typer.Option("--trades", metavar="FILE", help="Closed trades: trades.csv of `keyturn backtest --csv`."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DAY", help="Fit on the days up to this one."),
    ] = None,
    save: Annotated[
        str | None, typer.Option("--save", metavar="NAME", help="Save a model, for `keyturn regime-label`.")
    ] = None,
    method: Annotated[str, typer.Option("--method", help="Of the saved model: k-means or hidden-markov.")] = "k-means",
    states: Annotated[int, typer.Option(min=2, max=MOST_STATES, help="States that each method looks for.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the methods' starts.")] = 1,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Find states of the market by k-means and a hidden Markov model, compare them with the desk's labels, and print
    what each state was like and what trades made in it.

    The states are fitted on all days of the file: they describe the past, and no order depends on them. --save keeps
    those of one method for later days.

    Example: keyturn regime-study SPY_daily.csv --vix VIX_daily.csv --trades tables/trades.csv
    """
    from core.files.csv_files import read_daily_bars, read_daily_values, read_trades
    from core.market.calendar import load_calendar
    from core.research.regimes.saved_model import saved_of
    from core.research.regimes.study import study_of
    from core.research.regimes.study_text import as_json as told
    from core.research.regimes.study_text import lines_of
    from state.regime_files import save_model

    checked_folder(csv)
    home, last = host_of(context).home, date.max if until is None else until.date()
    place = None if save is None else _place(home, save, method)
    is_named = market is not None
    if market is None:
        market, vix = _own_files(home, SPY, vix)
    tell_of_bars([market] if vix is None else [market, vix], are_named=is_named)
    bars = [bar for bar in read_daily_bars(market) if bar.day <= last]
    symbol, read = _market(market)
    closes = {day: close for day, close in zip(read.days, read.adjusted, strict=True) if day <= last}
    values = [] if vix is None else [each for each in read_daily_values(vix) if each.day <= last]
    closed = [] if trades is None else [each for each in read_trades(trades) if each.closed_at.date() <= last]
    calendar = load_calendar(read.days[0], max([read.days[-1], *(trade.closed_at.date() for trade in closed)]))
    with progress() as watch:
        study = study_of(
            symbol,
            closes,
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
    if place is not None:
        save_model(place, saved_of(study, method, market.name).model_dump_json(indent=1))
    tell(as_json, lambda: result, [*notes, *lines_of(study)], place, csv=csv)


def regime_label(
    context: typer.Context,
    market: MarketBars = None,
    vix: VixFile = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Label the ended days after the fit of each saved model, and write the labels beside it.

    A label is of its day and those before it, and is never changed: bars that are corrected later change no label that
    was written. `keyturn measures` shows the trades by them; no order depends on one. Run it after each close.
    Exit code 1 if no model is saved, 2 if one cannot be used: the others are labelled.

    Example: keyturn regime-label
    """
    from core.io.wall_clock import utc_now
    from state.regime_files import NO_MODEL, models_of

    checked_folder(csv)
    home, now = host_of(context).home, utc_now()
    results, lines, faults = list[dict[str, object]](), list[str](), list[str]()
    for path in models_of(home):
        try:
            result, more = _labelled(home, path, market, vix, now)
        except OperatorError as error:  # the other models are labelled all the same
            faults.append(str(error))
            continue
        results.append(result)
        lines += more
    if results or not faults:
        tell(as_json, lambda: {"models": results}, lines or [NO_MODEL], csv=csv)
    if faults:
        raise OperatorError("; ".join(faults))
    if not results:
        raise typer.Exit(1)


def _labelled(
    home: Home, path: Path, market: Path | None, vix: Path | None, now: datetime
) -> tuple[dict[str, object], list[str]]:
    """Label the days of one model, and return what it did, as JSON and in words. Raises `OperatorError`."""
    from core.files.csv_files import read_daily_values
    from core.market.bar_folder import simulated_in
    from core.market.calendar import load_calendar
    from core.research.regimes.saved_model import model_in
    from state.regime_files import labels_of, text_of_model, write_labels

    try:
        model = model_in(text_of_model(path))
        bars, levels = (market, vix) if market is not None else _own_files(home, Symbol(model.market), vix)
        symbol, read = _market(bars)
        if symbol != model.market or bool(simulated_in([bars.name])) is not bool(simulated_in([model.file])):
            raise OperatorError(f"it was fitted on {model.file}, and {bars.name} is of another market")
        values = [] if levels is None else read_daily_values(levels)
        found, is_same = model.labels(dict(zip(read.days, read.adjusted, strict=True)), values)
    except OperatorError as error:
        raise OperatorError(f"{path.name}: {error}") from None
    ended = {each.day for each in load_calendar(read.days[0], read.days[-1]).sessions() if each.close <= now}
    known = labels_of(path)
    last = max(known, default=model.last)
    new = {day: state for day, state in found.items() if day > last and day in ended}
    if new:
        write_labels(path, known | new)
    changed = sum(found.get(day, state) != state for day, state in known.items())
    labels = known | new
    day = max(labels, default=None)
    result: dict[str, object] = {
        "model": path.stem,
        "method": model.method,
        "states": model.states,
        "fitted_to": model.last,
        "day": day,
        "state": None if day is None else labels[day],
        "new": len(new),
        "labels": len(labels),
        "kept_although_changed": changed,
        "fitted_on_the_same_bars": is_same,
    }
    newest = "no ended day after the fit" if day is None else f"{day} has state {labels[day]}"
    lines = [f"{path.stem}: {newest}, {len(new)} new of {len(labels)} labels ({model.in_words})"]
    if changed:
        lines.append(f"  {changed} labels stay, although bars that were corrected since would give others")
    if not is_same:
        lines.append("  the bars of the fit have been corrected since, or are of another feed")
    return result, lines


def _market(path: Path) -> tuple[Symbol, Closes]:
    """Return the symbol and the closes of a file. Raises `OperatorError`."""
    from core.market.csv_source import symbol_of
    from core.model.instrument import symbol_in
    from core.research.portfolio_risk.history import read_closes

    symbol = symbol_of(path) or symbol_in(path.stem)
    if symbol is None:
        raise OperatorError(f"{path.name}: its name begins with no symbol; rename it, as SPY_daily.csv")
    read = read_closes(path, symbol)
    if split := next((jump for jump in read.jumps if jump.split), None):
        raise OperatorError(f"{split.in_words}; adjust the prices before it, or name a file that begins later")
    return symbol, read


def _place(home: Home, name: str, method: str) -> Path:
    """Return the file for a model. Raises `OperatorError`."""
    from core.research.regimes.saved_model import METHODS
    from state.regime_files import place_of

    if method not in METHODS:
        raise OperatorError(f"--method {method}: one of {', '.join(METHODS)}")
    return place_of(home, name)


def _own_files(home: Home, symbol: Symbol, vix: Path | None) -> tuple[Path, Path | None]:
    """Return the daily files of the market and, unless one is named, of the VIX. Raises `OperatorError`."""
    from core.market.bar_folder import VIX, Period, file_of
    from state.bar_files import no_bars

    market = file_of(home.bar_folders, symbol, Period.DAY)
    if market is None:
        raise OperatorError(no_bars(home, [symbol], Period.DAY))
    return market, vix or file_of(home.bar_folders, VIX, Period.DAY)
