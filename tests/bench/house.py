"""Bars through the whole house: market, strategy, gate, staging, exchange and journal, its trades counted."""

from __future__ import annotations

import gc
import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path

import orjson

from console.commands.assembly.recordings import NoLog, NoSwitch
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.market.calendar import ExchangeCalendar, load_calendar
from core.market.synthetic import synthetic_sessions
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.bar import Bar
from core.model.values import Symbol
from core.runtime.feed import Timed, bar_item
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.simulated_exchange import config_of, link_of
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from state.files import JournalFolder
from state.journal import FileJournal, MemoryJournal

SPY = Symbol("SPY")
FIRST, LAST = date(2024, 1, 2), date(2026, 12, 31)


@dataclass(frozen=True)
class Run:
    """`processor` is in seconds of it, the rest of the machine left out; `refused` are proposals that the gate did."""

    bars: int
    trades: int
    seconds: float
    processor: float
    syncs: int
    seconds_in_syncs: float
    refused: int

    @property
    def rate(self) -> float:
        return self.bars / self.seconds

    @property
    def undisturbed(self) -> float:
        """Bars a second of the processor."""
        return self.bars / self.processor


def some_bars(many: int) -> tuple[ExchangeCalendar, list[Bar]]:
    """A seeded market of SPY, parsed already."""
    calendar = load_calendar(FIRST, LAST)
    return calendar, list(islice(synthetic_sessions(7, SPY, calendar.sessions()), many))


def through_the_house(
    calendar: ExchangeCalendar,
    feed: list[Timed],
    journal: MemoryJournal | FileJournal,
    prepare: Callable[[Engine], None] = lambda engine: None,
    compares_every: int = 60,
    *,
    is_trading: bool = True,
) -> Run:
    """One pass, entries a day raised, every proposal confirmed by key, books compared every so many seconds."""
    settings = Settings.model_validate(
        {
            "symbols": ["SPY"],
            "risk": {"entries_a_day": 2, "daily_loss": {"usd": "1000"}},
            "exchange": {"cash": "1000000"},
            "reconciliation": {"every_seconds": compares_every},
            "strategies": {"vwap": {"enabled": is_trading}},
        }
    )
    engine = Engine("bench", Mode.PAPER, calendar, journal)
    prepare(engine)
    engine.apply(feed[0][0], settings, "bench")
    exchange = SimulatedExchange(config_of(settings, "bench", "7"), calendar, NoLog())
    operator = ConfirmAll(engine.state)
    runtime = VirtualRuntime(
        engine, exchange, feed, start=feed[0][0], switch=NoSwitch(), link=link_of(settings), operator=operator
    )
    trades: list[object] = []
    engine.state.add_listener(
        lambda _s, _a, fact: trades.append(fact) if type(fact).__name__ == "TradeClosed" else None
    )
    gc.collect()
    gc.freeze()
    began, worked = time.perf_counter(), time.process_time()
    runtime.run()
    journal.sync()
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    return Run(
        engine.state.normaliser.state.complete,
        len(trades),
        seconds,
        processor,
        journal.syncs,
        getattr(journal, "seconds_in_syncs", 0.0),
        engine.state.stage.state.skipped,
    )


def fed(many: int) -> tuple[ExchangeCalendar, list[Bar], list[Timed]]:
    """The bars, and the same as what arrives."""
    calendar, bars = some_bars(many)
    return calendar, bars, [bar_item(BarArrived(bar, "bench")) for bar in bars]


def plain_loop(bars: list[Bar], clock: Callable[[], float] = time.perf_counter) -> float:
    """The baseline: each bar as one chained JSON line, and a running VWAP; bars a second."""
    total, volume, last = Decimal(0), Decimal(0), b""
    lines: list[bytes] = []
    began = clock()
    for number, bar in enumerate(bars):
        total += (bar.high + bar.low + bar.close) * bar.volume
        volume += bar.volume
        line = orjson.dumps((number, bar), default=str)
        last = hashlib.sha256(last + line).digest()
        lines.append(line)
    return len(bars) / (clock() - began)


def measure(calendar: ExchangeCalendar, bars: list[Bar], feed: list[Timed]) -> list[tuple[str, str]]:
    gc.collect()
    gc.freeze()
    baseline = plain_loop(bars)
    memory = through_the_house(calendar, feed, MemoryJournal())
    with tempfile.TemporaryDirectory() as folder:
        journal = FileJournal(JournalFolder(Path(folder)))
        disk = through_the_house(calendar, feed, journal)
        journal.close()
    share = disk.seconds_in_syncs / disk.seconds
    without = disk.bars / (disk.seconds - disk.seconds_in_syncs)
    return [
        ("bars, trades filled", f"{memory.bars:,}, {memory.trades:,}"),
        ("baseline: one chained line and a VWAP sum a bar", f"{baseline:,.0f} bars/s"),
        ("whole house, journal in memory", f"{memory.rate:,.0f} bars/s, {memory.rate / baseline:.2f} of the baseline"),
        ("whole house, journal on the disk", f"{disk.rate:,.0f} bars/s, {disk.rate / baseline:.2f} of the baseline"),
        ("  of it in syncs", f"{disk.syncs:,} syncs, {disk.seconds_in_syncs:.2f} s, {share:.0%} of the time"),
        ("  without the syncs", f"{without:,.0f} bars/s"),
    ]


if __name__ == "__main__":
    for name, value in measure(*fed(200_000)):
        print(f"{name:<50} {value}")
