"""What a backtest keeps of what was said, bar by bar (AN-04)."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.model.bar import ONE_MINUTE, Bar
from core.model.order import Side
from core.model.values import Price, Quantity, Symbol
from core.runtime.backtest import Signals

OPEN = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
MANY = 5_000


def a_bar(start: datetime) -> Bar:
    price = Price(Decimal(100))
    return Bar(Symbol("SPY"), start, price, price, price, price, Quantity(Decimal(1)))


def test_signals_come_back_with_their_bars_start():
    signals = Signals()
    signals.note(a_bar(OPEN), "sma", Side.BUY, Decimal("0.61"))
    signals.note(a_bar(OPEN + ONE_MINUTE), "vwap", Side.SELL, None)

    assert list(signals) == [
        (OPEN, ("sma", "SPY", Side.BUY, Decimal("0.61"))),
        (OPEN + ONE_MINUTE, ("vwap", "SPY", Side.SELL, None)),
    ]


def test_packed_signals_take_little_memory():
    """Five years of minutes cross tens of thousands of times: 16 bytes each, and as much again while a list grows."""
    signals = Signals()
    tracemalloc.start()
    try:
        for minute in range(MANY):
            confidence = Decimal(minute % 100) / 100
            signals.note(a_bar(OPEN + timedelta(minutes=minute)), "sma", Side.BUY, confidence)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 40 * MANY
