"""The deepest drawdown along a curve of equity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.model.values import Money
from core.reports.figures import Fall, deepest_fall

BEGINS = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def curve(*values: int) -> list[tuple[datetime, Money]]:
    return [(BEGINS + timedelta(minutes=minute), Money(Decimal(value))) for minute, value in enumerate(values)]


def test_the_deepest_is_by_fraction() -> None:
    """AN-06: 10 of 100 is deeper than 12 of 200; it ends at its lowest point"""
    found = deepest_fall(curve(90, 100, 95, 90, 92, 200, 188, 210))

    assert found == Fall(Money(Decimal(10)), Decimal("0.1"), *(BEGINS + timedelta(minutes=at) for at in (1, 3)))


def test_equity_that_never_falls_has_none() -> None:
    """AN-06"""
    assert [deepest_fall(curve(*values)) for values in ((), (5,), (5, 5, 6), (-5, -6))] == [None] * 4
