"""Backtests: each file through its own engine, in parallel (AN-04)."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.commands.assembly.host import Host
from console.commands.assembly.recordings import (
    fresh,
    measured,
    of_symbols,
    played_by,
    recorded,
    require_files,
    symbol_in_name,
)
from console.commands.assembly.settings import backtest_settings
from console.commands.assembly.tables import checked_folder, write_tables
from core.model.instrument import capitals
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import naming, replace_file

if TYPE_CHECKING:
    from concurrent.futures import Future

    from console.commands.assembly.recordings import Recording
    from core.model.staging import Proposal
    from core.runtime.backtest import Backtest
    from core.settings.settings import Settings
    from state.journal import HashOnlyJournal


LOOKS_A_SECOND = 10
"""Progress updates a second."""


Watch = Callable[[str, int, int], None]
"""Called with a work item's name, its progress and its total."""


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """The files, each played separately, and the options.

    Attributes
    ----------
    symbol
        The symbol of a file whose name does not begin with one.
    has_frictions
        Whether to simulate slippage, partial fills, rejections, halts and interest, unless the settings differ.
    seed
        Decides which frictions occur, and when.
    tables_folder, page_file
        Where to write CSV tables and an HTML page; None writes none.
    vix, market
        Files of daily figures for the regime (RK-19); None leaves that part unknown.
    zone
        The time zone of times without one in the files; empty refuses them.
    """

    files: tuple[Path, ...]
    strategy: str | None = None
    symbol: str | None = None
    overrides: tuple[str, ...] = ()
    has_frictions: bool = True
    seed: int = 1
    tables_folder: Path | None = None
    page_file: Path | None = None
    vix: Path | None = None
    market: Path | None = None
    zone: str = ""


def backtested(host: Host, options: BacktestOptions, watch: Watch) -> list[dict[str, object]]:
    """Return each file's result, in the order of the files; `watch` is called with a file's name and progress.

    Raises OperatorError: a file or a setting that cannot be used; then no result is returned.
    """
    _require_room(options)
    require_files(options.files)
    if len(options.files) == 1:
        found = [_tested(host, options, options.files[0], watch)]
    else:
        found = _side_by_side(dict(host.environ), options, watch)
    _write(options, found)
    return found


def _tested(host: Host, options: BacktestOptions, path: Path, watch: Watch) -> dict[str, object]:
    from core.runtime.backtest import missing, not_measured, report_of, splits
    from core.runtime.feed import RegimeFiles
    from core.settings.orders import BACKTEST_FRICTIONS, WITHOUT_FRICTIONS
    from state.sweep_files import count_trials

    symbol = capitals(options.symbol or symbol_in_name(path))
    laid_over = (
        *(BACKTEST_FRICTIONS if options.has_frictions else WITHOUT_FRICTIONS),
        of_symbols([symbol]),
        *options.overrides,
    )
    names = () if options.strategy is None else (options.strategy,)
    recording = recorded(host, [path], (), laid_over, backtest_settings, names, options.zone)
    recording = measured(recording, options.vix, options.market)
    trials = count_trials(host.home, enabled_strategies(recording.settings))
    gc.freeze()
    backtest, journal = new_backtest(recording, options.seed)
    with _leaving_on_a_signal(backtest.runtime.leave):
        is_whole = backtest.run(lambda done, whole: watch(path.name, done, whole))
    engine = backtest.runtime.engine
    if engine.disk_trouble is not None:
        raise OperatorError(f"halted, nothing more was sent: {engine.disk_trouble}")
    told = {
        "file": path.name,
        "symbol": symbol,
        "strategy": options.strategy,
        **report_of(backtest, journal.fingerprint()),
        "missing": missing(backtest, recording.starts[0]),
        "splits": splits(recording.jumps, backtest),
        "trials": trials,
        "not_measured": not_measured(RegimeFiles(options.vix, options.market)),
    }
    return told if is_whole else {**told, "interrupted": True}


def enabled_strategies(settings: Settings) -> str:
    """Return the names of the enabled strategies, under which sweeps count their trials."""
    strategies = settings.strategies
    return "+".join(sorted(name for name in strategies.names if strategies.of(name).enabled))


def new_backtest(
    recording: Recording, seed: int, wanted: Callable[[Proposal], bool] = lambda _proposal: True
) -> tuple[Backtest, HashOnlyJournal]:
    """Return a backtest of a recording on a new account, ready to run; it confirms the proposals that are `wanted`."""
    from core.runtime.backtest import Backtest
    from core.runtime.scripted_operator import ConfirmAll
    from core.runtime.strategy_host.hosted import foresee
    from core.runtime.virtual import VirtualRuntime
    from core.runtime.virtual_time import Pace
    from state.journal import HashOnlyJournal

    journal = HashOnlyJournal()
    engine, exchange = fresh(recording, journal, seed=str(seed))
    operator = ConfirmAll(engine.state, wanted)
    runtime = played_by(VirtualRuntime, recording, engine, exchange, operator, pace=Pace(None))
    if not recording.is_daily:
        foresee(engine.state.orchestrator.kinds, recording.feeds)
    sessions = [s for s in recording.calendar.sessions() if recording.first < s.close and s.open <= recording.last]
    return Backtest(runtime, sessions, is_daily=recording.is_daily), journal


@contextmanager
def _leaving_on_a_signal(leave: Any) -> Iterator[None]:
    """Call `leave` on a signal, so that the current act is finished."""
    names = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = [signal.signal(name, lambda *_: leave()) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require_room(options: BacktestOptions) -> None:
    """Refuse outputs that could not be written later, before the work begins. Raises `OperatorError`."""
    checked_folder(options.tables_folder)
    names = [path.stem for path in options.files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise OperatorError(f"{twice}: two files have this name; play them one by one")


def _write(options: BacktestOptions, found: Sequence[dict[str, object]]) -> None:
    from core.analytics.backtest_page import page
    from core.analytics.presentation import tables

    if options.page_file is not None:
        with naming(options.page_file):
            replace_file(options.page_file, page(found).encode(), durable=False)
    if options.tables_folder is None:
        return
    for path, result in zip(options.files, found, strict=True):
        folder = options.tables_folder / path.stem if len(found) > 1 else options.tables_folder
        write_tables(folder, tables(result))


# ── several at once ──────────────────────────────────────────────────────────────────────────────────────────────────


def _side_by_side(environ: Mapping[str, str], options: BacktestOptions, watch: Watch) -> list[dict[str, object]]:
    """Run a process per file, as many at a time as there are cores. The first failure ends all."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("spawn")
    with context.Manager() as manager:
        told = manager.Queue()
        many = min(len(options.files), os.cpu_count() or 1)
        with ProcessPoolExecutor(many, mp_context=context) as pool:
            running = [pool.submit(_in_a_process, dict(environ), options, path, told) for path in options.files]
            try:
                _follow(running, told, watch)
            finally:
                for each in running:
                    each.cancel()
            return [each.result() for each in running]


def _follow(running: list[Future[dict[str, object]]], told: Any, watch: Watch) -> None:
    from concurrent.futures import FIRST_COMPLETED, wait
    from queue import Empty

    left = set(running)
    while left:
        over, left = wait(left, 1 / LOOKS_A_SECOND, FIRST_COMPLETED)
        with suppress(Empty):
            while True:
                watch(*told.get_nowait())
        for each in over:
            each.result()


def _in_a_process(environ: dict[str, str], options: BacktestOptions, path: Path, told: Any) -> dict[str, object]:
    """Backtest one file in its own process; progress is reported in whole percent."""
    last = -1

    def watch(name: str, done: int, whole: int) -> None:
        nonlocal last
        if done * 100 // whole != last:
            last = done * 100 // whole
            told.put((name, done, whole))

    return _tested(Host.of(environ), options, path, watch)
