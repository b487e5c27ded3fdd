"""The recorded bars around a trade: minutes or days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.facts import BarClosed
from core.model.bar import Bar
from core.model.values import Price, Quantity, Symbol
from core.ports import Recorded
from core.post_mortem.day_attribution import Market

NOON = datetime(2026, 1, 5, 17, tzinfo=UTC)
SOON, NEXT_DAY = timedelta(minutes=1), timedelta(days=1)


def market_of(*heard_after: timedelta) -> Market:
    price = Price(Decimal(100))
    bars = [
        Bar(Symbol("SPY"), NOON + timedelta(minutes=number), price, price, price, price, Quantity(Decimal(1)))
        for number in range(len(heard_after))
    ]
    records = [
        Recorded(number, bar.start + after, BarClosed(bar))
        for number, (bar, after) in enumerate(zip(bars, heard_after, strict=True), start=1)
    ]
    return Market(records, _day_of)


def _day_of(at: datetime) -> date:
    return at.date()


def test_one_late_minute_makes_no_daily_bars() -> None:
    """AN-06: missing minutes are counted for all trades beside it"""
    assert market_of(SOON, NEXT_DAY, SOON).is_of_minutes
    assert market_of().is_of_minutes
    assert not market_of(NEXT_DAY, NEXT_DAY).is_of_minutes
