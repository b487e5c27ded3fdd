"""`make bench-backtest`: five years of the demo's minutes through a backtest: time, bars a second, memory.

The market is made day by day while it runs; the time that making it takes is measured beside it and taken off.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from console.commands.assembly.recordings import UNATTENDED
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.market.calendar import load_calendar
from core.market.synthetic import synthetic_day
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.session import Session
from core.model.values import Symbol
from core.runtime.backtest import Backtest, report_of
from core.runtime.feed import Timed, bar_item
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.simulated_exchange import config_of, link_of
from core.runtime.virtual import VirtualRuntime
from core.settings.orders import BACKTEST_FRICTIONS
from core.settings.settings import Settings
from core.settings.strategies import HOUSE_NAMES
from state.files import Home
from state.journal import HashOnlyJournal
from state.settings_file import load_settings
from tests.bench.house import NoLog, NoSwitch, plain_loop, some_bars

FIRST, LAST = date(2021, 1, 4), date(2025, 12, 31)
SEED = 1
SAMPLES = 10
BASELINE = 40_000
PAGE = os.sysconf("SC_PAGE_SIZE")


class Made:
    """The market, and how long it took to make."""

    def __init__(self, sessions: list[Session]) -> None:
        self.sessions = sessions
        self.seconds = self.processor = 0.0

    def feed(self) -> Iterator[Timed]:
        for session in self.sessions:
            began, worked = time.perf_counter(), time.process_time()
            items = [bar_item(BarArrived(bar, "bench")) for bar in synthetic_day(SEED, Symbol("SPY"), session)]
            self.seconds += time.perf_counter() - began
            self.processor += time.process_time() - worked
            yield from items


def resident() -> float:
    """MiB that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def settings_for(strategy: str) -> Settings:
    """As `keyturn backtest --strategy` has them."""
    switches = (f"strategies.{name}.enabled={str(name == strategy).lower()}" for name in HOUSE_NAMES)
    laid_over = (*UNATTENDED, *BACKTEST_FRICTIONS, *switches)
    return load_settings(Home(Path("/nonexistent"), Path("/nonexistent")), {}, laid_over)


def run(strategy: str, last: date = LAST) -> list[tuple[str, str]]:
    calendar = load_calendar(FIRST - timedelta(days=7), last + timedelta(days=7))
    sessions = [session for session in calendar.sessions() if FIRST <= session.day <= last]
    made = Made(sessions)
    settings = settings_for(strategy)
    journal = HashOnlyJournal()
    engine = Engine("replay", Mode.PAPER, calendar, journal)
    engine.apply(sessions[0].open, settings, "replay")
    runtime = VirtualRuntime(
        engine,
        SimulatedExchange(config_of(settings, "replay", str(SEED)), calendar, NoLog()),
        made.feed(),
        start=sessions[0].open,
        switch=NoSwitch(),
        link=link_of(settings),
        operator=ConfirmAll(engine.state),
    )
    backtest = Backtest(runtime, sessions, is_daily=False)
    gc.collect()
    gc.freeze()
    held: list[float] = []

    def watch(done: int, whole: int) -> None:
        if done * SAMPLES // whole > len(held) - 1:
            held.append(resident())

    began, worked = time.perf_counter(), time.process_time()
    backtest.run(watch)
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    told = report_of(backtest, journal.fingerprint())
    bars = engine.state.normaliser.state.complete
    baseline = plain_loop(some_bars(BASELINE)[1], time.process_time)
    alone_, undisturbed = seconds - made.seconds, processor - made.processor
    return [
        ("bars, trades, orders", f"{bars:,}, {len(backtest.report.trades):,}, {len(backtest.report.orders):,}"),
        ("in all", f"{seconds:.2f} s, of it {made.seconds:.2f} s to make the market"),
        ("engine", f"{alone_:.2f} s, {bars / alone_:,.0f} bars/s (aim 100,000)"),
        ("engine, of the processor", f"{undisturbed:.2f} s, {bars / undisturbed:,.0f} bars/s"),
        ("baseline, of the processor", f"{baseline:,.0f} bars/s: one chained line and a VWAP sum a bar"),
        ("memory after each tenth, MiB", " ".join(f"{each:.0f}" for each in held)),
        ("no-trade reasons", str(told["reasons"])),
    ]


def main() -> None:
    for strategy in sys.argv[1:] or ["vwap", "sma"]:
        print(f"{strategy}, {FIRST} to {LAST}")
        for name, value in run(strategy):
            print(f"  {name:<32} {value}", flush=True)


if __name__ == "__main__":
    main()
