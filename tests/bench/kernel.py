"""`make bench-kernel`: bars a second of the research kernel on one core, on one and ten million made-up minutes.

Compiling is measured apart. Each run is the whole backtest: signals, sizes, the exchange, trades and daily equity.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from console.commands.assembly.recordings import UNATTENDED
from core.model.session import XNYS, Session
from core.model.values import Symbol
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars, clock_of, microseconds
from core.research.kernel.runs import played
from core.settings.settings import Settings
from state.files import Home
from state.settings_file import load_settings

SIZES = (1_000_000, 10_000_000)
FIRST = date(1925, 1, 5)
MINUTES = 390
BASELINE = 20_000_000
OFF = (
    *(
        f"risk.protections.{name}.enabled=false"
        for name in (
            "stop_loss_guard",
            "cooldown",
            "low_profit",
            "loss_streak",
            "max_drawdown",
            "volatility_halt",
            "equity_curve",
            "repeated_execution",
        )
    ),
    "risk.daily_loss={usd='100000'}",
    "risk.weekly_loss={usd='100000'}",
    "strategies.vwap.enabled=false",
    "strategies.sma.enabled=true",
)
BUSY = (
    "exchange.cash=100000",
    "risk.max_notional={usd='5000'}",
    "risk.per_trade={usd='50'}",
    "risk.entries_a_day=20",
    "risk.window_start='09:30'",
    "risk.window_end='15:30'",
    "strategies.sma.regime_filter=false",
    "strategies.sma.minimum_confidence=0",
)


def settings_of(*more: str) -> Settings:
    """As `keyturn sweep --on kernel` has them."""
    return load_settings(Home(Path("/nonexistent"), Path("/nonexistent")), {}, (*UNATTENDED, *OFF, *more))


def made_up(many: int) -> KernelBars:
    """Return so many minutes in a row of weekdays: a random walk around 100 USD."""
    draw = np.random.default_rng(1)
    days = -(-many // MINUTES)
    sessions = tuple(_sessions(days + 8))
    opens = np.repeat(np.array([microseconds(session.open) for session in sessions[:days]], np.int64), MINUTES)[:many]
    start = opens + np.tile(np.arange(MINUTES), days)[:many] * reg.MINUTE
    steps = draw.integers(-6, 7, many)
    close = 1_000_000 + 100 * _reflected(np.cumsum(steps))
    opened = np.concatenate((close[:1], close[:-1])) + 100 * draw.integers(-2, 3, many)
    high = np.maximum(opened, close) + 100 * draw.integers(0, 6, many)
    low = np.minimum(opened, close) - 100 * draw.integers(0, 6, many)
    volume = draw.integers(20_000, 60_000, many)
    number = np.repeat(np.arange(days), MINUTES)[:many]
    columns = (start, start + reg.MINUTE, opened, high, low, close, volume, start + reg.MINUTE, number)
    table = np.array(columns, np.int64)
    return KernelBars(Symbol("SPY"), table, clock_of(sessions), sessions, days, begun_in=0, is_daily=False)


def _reflected(walk: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Keep a walk within 3,000 ticks on either side."""
    width = 6_000
    place = (walk + width // 2) % (2 * width)
    return np.minimum(place, 2 * width - place) - width // 2


def _sessions(many: int) -> Iterator[Session]:
    day = FIRST
    for _ in range(many):
        opens = XNYS.start_of(day) + timedelta(hours=9, minutes=30)
        yield Session(day, opens, opens + timedelta(minutes=MINUTES))
        day += timedelta(days=3 if day.weekday() == 4 else 1)


def main() -> None:
    """Print bars a second."""
    calm, busy = settings_of(), settings_of(*BUSY)
    began = time.process_time()
    played(calm, made_up(2_000))
    print(f"{'compiled, or read from its cache':<50} {time.process_time() - began:.1f} s")
    for many in SIZES if len(sys.argv) < 2 else (int(sys.argv[1]),):
        bars = made_up(many)
        for title, settings in (("an entry a day", calm), ("20 entries a day", busy)):
            began = time.process_time()
            run = played(settings, bars)
            took = time.process_time() - began
            speed = f"{many / took:>12,.0f} bars/s of {BASELINE:,}"
            print(f"{many:>10,} bars, {title:<18} {len(run.trade_rows):>7,} trades {took:>7.2f} s {speed}", flush=True)


if __name__ == "__main__":
    main()
