"""The close of some minutes ago, as the price collar asks for it."""

from __future__ import annotations

from decimal import Decimal

from core.facts import BarClosed
from core.model.values import Symbol
from core.risk.price_history import PriceHistory
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, a_bar, at


@table(
    "clock minutes close",
    ("10:03", 1, "101"), ("10:02:59", 1, "100"), ("10:03", 2, "100"), ("10:03", 3, None), ("10:05", 1, None),
)  # fmt: skip
def test_the_close_of_some_minutes_ago(clock: str, minutes: int, close: str | None) -> None:
    """RK-23: of the minute that ended then, or within that long before; else of none"""
    history = PriceHistory()
    for start, price in (("10:00", "100"), ("10:01", "101"), ("10:02", "102")):
        bar = a_bar(start, price)
        history.folds[BarClosed](bar.end, BarClosed(bar))

    found = history.price_before(SPY, at(clock), minutes)

    assert found == (None if close is None else Decimal(close))
    assert history.price_before(Symbol("IBM"), at(clock), minutes) is None
