"""Files of bars through the engine on the simulated exchange: the common part of replay and backtest."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from console.commands.assembly.engines import own_files, strategies_folder_of, strategy_kinds
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.model.instrument import capitals
from core.model.lazy_dataclass import dataclass
from core.ports import Journal, OperatorError
from state.accounts import Chosen
from state.files import JournalFolder

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from core.brokers.simulated.exchange import SimulatedExchange
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.model.values import Symbol
    from core.runtime.feed import Timed
    from core.runtime.feed_quality import Jump
    from core.runtime.inbox import Operator
    from core.runtime.simulated_exchange import RunRecorder, RunStarted
    from core.runtime.virtual import VirtualRuntime
    from core.runtime.virtual_time import Pace
    from core.settings.settings import Settings
    from core.strategies.builtin import StrategyKinds
    from core.strategies.questions import Missed

UNATTENDED = ("reconciliation.every_seconds=0", "evaluation.enabled=false")
"""The lowest settings for played files.

Their exchange is in this process: after the start no one else can move its books. And no one could enable a strategy
again that the evaluation retired: the run would continue without it.
"""


MOST_UNREADABLE = Decimal("0.01")
"""Of the rows of a file: what has more holes was not meant, or is another kind of file (MD-08)."""
FILE_SEED = "file"
"""The seed of a replay's exchange."""
DAILY = (
    "risk.window_start='00:00'",
    "risk.window_end='23:59'",
    "risk.session.policy='include_extended'",  # the account is asked before the open, at which signals are received
    "risk.protections.volatility_halt.enabled=false",
    "strategies.vwap.limits.windows=[]",
    "strategies.vwap.flat_minutes=0",
    "strategies.breakout.counted_bars=60",  # a quarter of sessions; 390, a session of minutes, would be years of days
)
"""The lowest settings for daily bars: limits in minutes of a session are meaningless there."""


class UnfitStrategyError(OperatorError):
    """A user strategy that cannot start with its settings."""


Played = TypeVar("Played", bound="VirtualRuntime")


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """The files to play, and the options. `speed` None is unlimited.

    `strategies` are those that get the bars; if empty, those enabled in the settings. `deadlines` is the folder of a
    journal that records which strategy was too slow for which bar (MD-05); without one the current timing counts. `vix`
    and `market` are files of daily figures for the regime (RK-19). `zone` is that of times without one in `files`.
    """

    files: tuple[Path, ...]
    symbols: tuple[str, ...] = ()
    quotes: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    speed: float | None = None
    operator: str = "none"
    journal_folder: Path | None = None
    deadlines: Path | None = None
    vix: Path | None = None
    market: Path | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """Files read to their end, and the settings to play them with.

    Attributes
    ----------
    first, last
        The start of the first and of the last bar; UTC.
    starts
        For each file of bars, the start of the first bar that strategies receive.
    jumps
        The bars at which the prices of a file seem not to be split-adjusted.
    """

    settings: Settings
    kinds: StrategyKinds
    calendar: ExchangeCalendar
    feeds: Sequence[Sequence[Timed]]
    first: datetime
    last: datetime
    starts: tuple[datetime, ...]
    is_daily: bool
    jumps: tuple[Jump, ...] = ()

    def feed(self) -> Iterator[Timed]:
        from core.runtime.feed import merged

        return merged(self.feeds)


def replay_runtime(host: Host, options: ReplayOptions, stack: ExitStack) -> VirtualRuntime:
    """Return a runtime with a new account on files, with its journal in a folder or in memory.

    Raises `OperatorError`.
    """
    from core.runtime.virtual_time import Pace
    from state.journal import FileJournal, MemoryJournal
    from state.simulated_logs import RunLogFile

    require_files((*options.files, *options.quotes))
    symbols = tuple(map(capitals, options.symbols))
    if not symbols:
        for path in options.files:
            symbol_in_name(path)
    chosen = (of_symbols(symbols),) if symbols else ()
    laid_over, names = (*options.overrides, *chosen), options.strategies
    recording = recorded(host, options.files, options.quotes, laid_over, settings_of, names, options.zone)
    recording = measured(recording, options.vix, options.market)
    journal: FileJournal | MemoryJournal = MemoryJournal()
    recorder: RunLogFile | None = None
    if options.journal_folder is not None:
        started = _started(host, recording, options)
        if options.journal_folder.is_dir() and any(options.journal_folder.iterdir()):
            raise OperatorError(f"{options.journal_folder} is not empty; name a new folder for the journal")
        folder = JournalFolder(options.journal_folder)
        journal = stack.enter_context(closing(FileJournal(folder)))
        recorder = stack.enter_context(closing(RunLogFile(folder, started)))
    runtime = playing(recording, journal, options.operator, Pace(options.speed), seed=FILE_SEED, recorder=recorder)
    if options.deadlines is not None:
        runtime.engine.state.orchestrator.knows_who_missed(_missed_in(options.deadlines))
    return runtime


def recorded(
    host: Host,
    files: Iterable[Path],
    quotes: Iterable[Path],
    overrides: tuple[str, ...],
    settings_with: Callable[[Host, tuple[str, ...]], Settings],
    names: tuple[str, ...],
    zone: str = "",
) -> Recording:
    """Read the files, and the settings with only these strategies enabled, or unchanged if none is named.

    Raises `OperatorError`, naming the file that cannot be played.
    """
    from core.market.calendar import load_calendar
    from core.market.csv_source import is_daily
    from core.market.file_shape import zone_named

    of_times = zone_named(zone) if zone else None
    daily = {path: is_daily(path) for path in files}
    days, minutes = ([path for path, is_of_days in daily.items() if is_of_days is wanted] for wanted in (True, False))
    if days and minutes:
        raise OperatorError(f"{days[0].name} is of days and {minutes[0].name} of minutes; play them one by one")
    settings, kinds = settings_to_play(host, overrides, settings_with, names, is_daily=bool(days))
    if days and zone:
        raise OperatorError(f"{days[0].name} is of days, which need no zone; leave out --zone")
    if days:
        return _of_days(settings, kinds, days, tuple(quotes))
    bars, quoted = list(_of_minutes(settings, minutes, of_times)), tuple(quotes)
    feeds = [*bars, *_of_quotes(settings, quoted)]
    first, last = min(feed[0][0] for feed in feeds if feed), max(feed[-1][0] for feed in feeds if feed)
    calendar = load_calendar(first.date() - timedelta(days=7), last.date() + timedelta(days=7))
    starts, jumps = _judged([*minutes, *quoted], feeds, len(minutes), calendar)
    return Recording(settings, kinds, calendar, feeds, first, last, starts, is_daily=False, jumps=jumps)


def settings_to_play(
    host: Host,
    overrides: tuple[str, ...],
    settings_with: Callable[[Host, tuple[str, ...]], Settings],
    names: tuple[str, ...],
    *,
    is_daily: bool,
) -> tuple[Settings, StrategyKinds]:
    """Return the settings for played files, with only these strategies enabled if any is named, and the strategies.

    Raises `OperatorError`.
    """
    _require_known(host, names, settings_with(host, overrides))
    laid_under = (*UNATTENDED, *(DAILY if is_daily else ()), *(over_night(names) if is_daily else ()))
    settings = settings_with(host, (*laid_under, *overrides))
    kinds = strategy_kinds(host, settings, is_played=True)
    if names:
        settings = _only(names, settings, kinds)
    _require_starts(settings, kinds)
    return settings, kinds


def _require_known(host: Host, names: tuple[str, ...], settings: Settings) -> None:
    """Raise OperatorError for a name that is neither a strategy of the house nor a file of the user's."""
    from core.settings.strategies import HOUSE_NAMES

    folder = strategies_folder_of(host, settings)
    known = (*HOUSE_NAMES, *sorted(path.stem for path in folder.glob("*.py")))
    for name in names:
        if name not in known:
            raise OperatorError(f"--strategy {name}: there is none; one of {', '.join(known)}")


def _only(names: tuple[str, ...], settings: Settings, kinds: StrategyKinds) -> Settings:
    """Enable these strategies and disable all others, whatever the settings.

    Raises OperatorError: one of them does not load, or their allocations exceed the whole.
    """
    from pydantic import ValidationError

    from core.settings.settings import Settings as Whole
    from core.settings.strategies import HOUSE_NAMES
    from core.settings.types import WHOLE

    values = settings.model_dump(context=WHOLE)
    for name in names:
        if name not in kinds.known:
            known = ", ".join(kinds.known)
            raise OperatorError(f"--strategy {name}: {kinds.faults.get(name, f'there is none; one of {known}')}")
    tables = values["strategies"]
    for name in (*settings.strategies.names, *names):
        table = tables[name] if name in HOUSE_NAMES else tables["own"].setdefault(name, {})
        table["enabled"] = name in names
    try:
        return Whole.model_validate(values)
    except ValidationError as error:
        words = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise OperatorError(f"--strategy {', '.join(names)}: {words}") from None


def _require_starts(settings: Settings, kinds: StrategyKinds) -> None:
    """Refuse to play if an enabled user strategy cannot start: no signals from it would be misleading.

    Raises `OperatorError`.
    """
    from core.strategies.builtin import MissingStrategy, started

    own = [name for name in settings.strategies.own if settings.strategies.of(name).enabled]
    for name in own:
        made = started(kinds, name, settings.strategies.of(name), None)
        if isinstance(made, MissingStrategy):
            raise UnfitStrategyError(f"{name} cannot start: {made.reason}")


def _started(host: Host, recording: Recording, options: ReplayOptions) -> RunStarted:
    """Return the parameters to play the files again."""
    from core.runtime.simulated_exchange import RunKind, RunStarted
    from state.simulated_logs import file_played

    return RunStarted(
        RunKind.REPLAY,
        recording.first,
        sequence=0,
        requests=0,
        settings=recording.settings,
        stage="",
        seed=0,
        speed=options.speed,
        operator=keys_of(options.operator),
        files=tuple(map(file_played, options.files)),
        quotes=tuple(map(file_played, options.quotes)),
        vix=None if options.vix is None else file_played(options.vix),
        market=None if options.market is None else file_played(options.market),
        strategies=own_files(host, recording.settings),
        zone=options.zone,
    )


def keys_of(operator: str) -> str:
    """Return the operator's name, or the text of its script. Raises `OperatorError`."""
    from core.runtime.scripted_operator import ScriptError, text_of_script

    if operator in ("none", "confirm-all"):
        return operator
    try:
        return text_of_script(Path(operator))
    except ScriptError as error:
        raise OperatorError(f"--operator: {error}") from error


def playing(
    recording: Recording,
    journal: Journal,
    operator: str,
    pace: Pace | None,
    *,
    seed: str,
    recorder: RunRecorder | None = None,
) -> VirtualRuntime:
    """Return a runtime with a new account, ready to run."""
    from core.runtime.virtual import VirtualRuntime

    engine, exchange = fresh(recording, journal, seed=seed)
    return played_by(
        VirtualRuntime,
        recording,
        engine,
        exchange,
        operator_of(operator, engine, recording.first),
        pace=pace,
        recorder=recorder,
    )


def fresh(
    recording: Recording, journal: Journal, *, seed: str, account: str = "replay", installation: str = "replay"
) -> tuple[Engine, SimulatedExchange]:
    """Return the engine of a new account, and its exchange."""
    from core.brokers.simulated.exchange import SimulatedExchange
    from core.engine import Engine
    from core.model.account import Mode
    from core.runtime.simulated_exchange import config_of

    engine = Engine(account, Mode.PAPER, recording.calendar, journal, recording.kinds)
    engine.apply(recording.first, recording.settings, installation)
    return engine, SimulatedExchange(config_of(recording.settings, account, seed), recording.calendar, NoLog())


def played_by(
    made: Callable[..., Played],
    recording: Recording,
    engine: Engine,
    exchange: SimulatedExchange,
    operator: Operator | None,
    *,
    pace: Pace | None,
    recorder: RunRecorder | None = None,
) -> Played:
    """Return the runtime of a recording."""
    from core.runtime.simulated_exchange import link_of

    return made(
        engine,
        exchange,
        recording.feed(),
        start=recording.first,
        switch=NoSwitch(),
        link=link_of(recording.settings),
        pace=pace,
        operator=operator,
        recorder=recorder,
    )


def operator_of(name: str, engine: Engine, start: datetime) -> Operator | None:
    """Return the operator named by `--operator`. Raises `OperatorError`."""
    return operator_by(keys_of(name), engine, start, Path(name).name)


def operator_by(keys: str, engine: Engine, start: datetime, name: str = "the script") -> Operator | None:
    """Return a scripted operator, allowed because the broker is the simulated exchange. Raises `OperatorError`."""
    from core.runtime.scripted_operator import ConfirmAll, Script, ScriptError, read_script

    if keys == "none":
        return None
    if keys == "confirm-all":
        return ConfirmAll(engine.state)
    try:
        return Script(engine.state, read_script(keys, start, name))
    except ScriptError as error:
        raise OperatorError(f"--operator: {error}") from error


def _missed_in(folder: Path) -> Missed:
    """Return the missed deadlines of a journal. Raises `OperatorError`, `JournalDamagedError`."""
    from core.strategies.questions import missed_in
    from state.journal import read
    from state.journal_files import segments

    if not folder.is_dir() or not segments(folder):
        raise OperatorError(f"--deadlines {folder}: no journal is there; name a folder that --journal-dir wrote")
    return missed_in(read(folder))


def over_night(names: Iterable[str]) -> tuple[str, ...]:
    """Return settings to hold positions overnight: with daily bars no strategy can close before the session's end."""
    from core.settings.strategies import HOUSE_NAMES

    terms = ("flat_minutes=0", "holds_overnight=true")
    every = dict.fromkeys((*HOUSE_NAMES[1:], *names))
    return tuple(f"strategies.{name}.{setting}" for name in every if name != HOUSE_NAMES[0] for setting in terms)


def measured(recording: Recording, vix: Path | None, market: Path | None) -> Recording:
    """Return the recording with the regime from its files of daily figures. Raises `TableError`."""
    from core.runtime.feed import RegimeFiles, last_heard, regime_of_files

    if vix is None and market is None:
        return recording
    regime = regime_of_files(RegimeFiles(vix, market), recording.calendar, recording.first, last_heard(recording.feeds))
    return replace(recording, feeds=[*recording.feeds, regime])


def _of_minutes(settings: Settings, files: Iterable[Path], zone: ZoneInfo | None) -> Iterator[Sequence[Timed]]:
    from core.runtime.feed import bars_of_file

    return (bars_of_file(path, _symbol_of(settings, path), zone) for path in files)


def _of_days(settings: Settings, kinds: StrategyKinds, files: list[Path], quotes: tuple[Path, ...]) -> Recording:
    from core.market.calendar import load_calendar
    from core.market.csv_source import DayRow, daily_bars, read_days
    from core.market.packed_rows import BrokenRow
    from core.runtime.feed import days_of_rows

    if quotes:
        raise OperatorError(f"{quotes[0].name}: the quotes of minutes say nothing beside bars of days; leave them out")
    symbols = [(path, _symbol_of(settings, path)) for path in files]
    read = [(path, symbol, read_days(path, symbol)) for path, symbol in symbols]
    days = [row.day for _, _, rows in read for row in rows if isinstance(row, DayRow)]
    calendar = load_calendar(min(days) - timedelta(days=7), max(days) + timedelta(days=7))
    feeds = [days_of_rows(rows, symbol, calendar) for _, symbol, rows in read]
    for (path, symbol, rows), feed in zip(read, feeds, strict=True):
        if not feed:
            reason = next(
                f"{b.place}: {b.reason}" for b in daily_bars(rows, symbol, calendar) if isinstance(b, BrokenRow)
            )
            raise OperatorError(f"{path.name}: none of its rows is the bar of a trading day; the first, {reason}")
    first, last = min(feed[0][0] for feed in feeds), max(feed[-1][0] for feed in feeds)
    starts, jumps = _judged(files, feeds, len(files), calendar)
    return Recording(settings, kinds, calendar, feeds, first, last, starts, is_daily=True, jumps=jumps)


def _judged(
    files: Sequence[Path], feeds: Sequence[Sequence[Timed]], of_bars: int, calendar: ExchangeCalendar
) -> tuple[tuple[datetime, ...], tuple[Jump, ...]]:
    """Return the start of the first usable bar of each file of bars, which are the first ones, and all price jumps.

    Refuse a file of bars without one, and any of which more than `MOST_UNREADABLE` could not be played (MD-08).

    Raises `OperatorError`, `TableError`.
    """
    from core.files.csv_files import FileFault, TableError
    from core.runtime.feed_quality import quality_of

    judged = [(path, quality_of(feed, calendar)) for path, feed in zip(files, feeds, strict=True)]
    starts = []
    for path, quality in judged[:of_bars]:
        if quality.begins is None:
            raise OperatorError(f"{path.name}: no row of it is a bar of a session; {quality.why_none}")
        starts.append(quality.begins.start)
    for path, quality in judged:
        if quality.broken > MOST_UNREADABLE * quality.rows:
            raise TableError(
                f"{path}: {quality.broken} of {quality.rows} rows cannot be read, more than 1 %; "
                f"the first, {quality.first_broken}; fix these rows, or leave them out",
                FileFault.UNREADABLE,
                line=quality.first_broken_line,
            )
    return tuple(starts), tuple(jump for _, quality in judged for jump in quality.jumps)


def _of_quotes(settings: Settings, files: Iterable[Path]) -> Iterator[Sequence[Timed]]:
    from core.market.csv_source import symbol_of
    from core.model.values import Symbol
    from core.runtime.feed import quotes_of_file

    for path in files:
        quoted = symbol_of(path)
        if quoted not in settings.symbols:
            named = (
                f"{quoted} is not among the symbols, add --symbol {quoted}"
                if quoted
                else "its name does not begin with a symbol"
            )
            raise OperatorError(f"{path.name}: {named}; a file of quotes is called like SPY_quotes.csv")
        yield quotes_of_file(path, Symbol(quoted))


def require_files(paths: Iterable[Path]) -> None:
    """Report a missing file or a folder as such, before its name is checked.

    Raises `TableError`.
    """
    from core.files.csv_files import A_FOLDER, TableError

    for path in paths:
        if not os.path.lexists(path):
            raise TableError(f"{path}: no such file; check the path")
        if path.is_dir():
            raise TableError(f"{path}: {A_FOLDER}")


def of_symbols(symbols: Iterable[str]) -> Chosen:
    """Return the setting for `--symbol`."""
    return Chosen(f"symbols={json.dumps(list(symbols), ensure_ascii=False)}", "--symbol")


def symbol_in_name(path: Path) -> Symbol:
    """Return the symbol at the beginning of a file's name, or in its symbol column. Raises `OperatorError`."""
    from core.market.csv_source import symbol_named_in, symbol_of

    symbol = symbol_of(path) or symbol_named_in(path)
    if symbol is None:
        raise OperatorError(f"{path.name}: its name begins with no symbol, as SPY_daily.csv does; add --symbol SYM")
    return symbol


def _symbol_of(settings: Settings, path: Path) -> Symbol:
    """Return the symbol in the file's name or its symbol column, or the only configured one. Raises `OperatorError`."""
    from core.market.csv_source import symbol_named_in, symbol_of
    from core.model.values import Symbol

    only = Symbol(settings.symbols[0]) if len(settings.symbols) == 1 else None
    symbol = symbol_of(path) or symbol_named_in(path) or only
    if symbol not in settings.symbols:
        named = f"{symbol} is" if symbol else "its symbol is"
        raise OperatorError(f"{path.name}: {named} not among the symbols; add --symbol {symbol or 'SYM'}")
    return Symbol(symbol)


class NoLog:
    """An exchange log that keeps nothing: the exchange ends with the replay."""

    def append(self, record: object) -> None:
        """Do nothing."""


class NoSwitch:
    """A kill switch that is never latched: a replay of files has none outside its script."""

    def is_on(self) -> str | None:
        return None

    def latch(self, by: str) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""
