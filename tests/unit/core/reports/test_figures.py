"""Sums of days: to the cent, however many fractions of it the trades have."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.analytics.equity import Part
from core.model.position import Trade
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Money, Price, Quantity
from core.reports.figures import figures_of, the_biggest
from tests.unit.core.brokers.trading_floor import SPY, at

DAYS = (date(2026, 11, 16), date(2026, 11, 20))


def a_trade(profit: str) -> Trade:
    name, price, when = ClientOrderId("a"), Price(Decimal(100)), at("10:06")
    return Trade(
        SPY, "vwap", name, name, when, price, Quantity(Decimal(1)), when, price, ExitReason.SIGNAL,
        None, None, None, Money(Decimal(profit)), Money(Decimal(0)),
    )  # fmt: skip


def test_a_result_is_rounded_once() -> None:
    """AN-06: three thirds of a cent are one; sixty-six losses of less than a cent are no gain."""
    trades = [a_trade(profit) for profit in ("0.004", "0.004", "0.004", "-1.50", "2.25")]

    found = figures_of(DAYS, (Money(Decimal("100.004")), Money(Decimal("100.766"))), trades, Decimal("0.0349"))

    assert (found.trades, found.won, found.result) == (5, 4, Decimal("0.76"))
    assert (found.opening, found.closing, found.change) == (Decimal("100.00"), Decimal("100.77"), Decimal("0.77"))
    assert found.fees == Decimal("-0.03")
    assert figures_of(DAYS, (None, None), [a_trade("-0.0004")] * 66, Decimal(0)).result == Decimal("-0.03")


def test_without_one_end_there_is_no_change() -> None:
    """AN-06"""
    assert figures_of(DAYS, (Money(Decimal(100)), None), [], Decimal(0)).change is None


def test_of_many_parts_the_small_ones_are_one() -> None:
    """AN-06: their sum stays."""
    parts = [Part(str(number), Money(Decimal(number))) for number in (1, -50, 3, 40, -2)]

    found = the_biggest(parts, 2)

    assert [(part.name, part.amount) for part in found] == [("-50", -50), ("40", 40), ("… 3 more", 2)]
    assert the_biggest(parts[:2], 2) == [parts[1], parts[0]]
