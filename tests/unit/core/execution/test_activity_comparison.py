"""The broker's list beside the journal: what is the same in another form, and what is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.execution.position_correction import FillOfOurs, cash_difference, figures_difference, fill_differences
from core.facts import CashMoved
from core.model.broker import Execution
from core.model.order import Side
from core.model.reconciliation import Activity, ActivityId, ActivityKind, BrokerFill, DifferenceKind
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Money, Price, Quantity, Symbol
from tests.kit.rows import table

SPY, ORDER = Symbol("SPY"), BrokerOrderId("b-1")
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


def ours(name: str, quantity: str, price: str) -> FillOfOurs:
    shares, usd = Quantity(Decimal(quantity)), Price(Decimal(price))
    return FillOfOurs(ExecutionId(name), ClientOrderId("c-1"), ORDER, NOON, SPY, Side.BUY, shares, usd)


def theirs(name: str, quantity: str, price: str) -> BrokerFill:
    execution = Execution(ExecutionId(name), NOON, Quantity(Decimal(quantity)), Price(Decimal(price)))
    return BrokerFill(execution, ORDER, SPY, Side.BUY)


def test_a_summed_fill_equals_its_executions() -> None:
    """EX-09, EX-05: seven at 100.3 are three at 100.25 and four at 100.3375."""
    there = [theirs("x-1", "3", "100.25"), theirs("x-2", "4", "100.3375")]

    assert list(fill_differences([ours("from the order", "7", "100.3")], there)) == []


@table("quantity price", ("6", "100.3"), ("7", "100.31"))
def test_an_order_of_other_shares_or_money_is_named(quantity: str, price: str) -> None:
    """EX-09"""
    there = [theirs("x-1", "3", "100.25"), theirs("x-2", "4", "100.3375")]

    found = list(fill_differences([ours("from the order", quantity, price)], there))

    assert [d.kind for d in found] == [DifferenceKind.FILL_MISSING_LOCAL] * 2 + [DifferenceKind.FILL_MISSING_BROKER]


def test_a_side_that_differs_is_named(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    (found,) = fill_differences([ours("x-1", "3", "100")], [replace(theirs("x-1", "3", "100"), side=Side.SELL)])

    assert found.kind is DifferenceKind.FILL_DIFFERS
    assert found.in_words == snapshot
    assert found.is_error


def moved(name: str, amount: str, by_its_figures: str | None = None) -> CashMoved:
    due = None if by_its_figures is None else Money(Decimal(by_its_figures))
    usd = Money(Decimal(amount))
    return CashMoved(ActivityId(name), date(2026, 11, 20), ActivityKind.DIVIDEND, usd, SPY, "DIV", due)


def test_a_cash_difference_names_the_contradiction(snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-09"""
    found = cash_difference(Decimal("10.02"), Decimal("10.01"), [moved("a", "1", "1"), moved("b", "2.01", "2.00")])

    assert found is not None
    assert found.note == snapshot


def test_less_than_half_a_cent_is_no_difference() -> None:
    """AN-06: a broker's cash has fractions of a cent."""
    assert cash_difference(Decimal("10.001"), Decimal("10.004"), []) is None


def test_a_short_positions_dividend_is_compared() -> None:
    """EX-09: ten shares short owe it."""
    owed = Activity(
        ActivityId("d"), date(2026, 11, 20), ActivityKind.DIVIDEND, Money(Decimal("-2.50")), SPY,
        Quantity(Decimal(-10)), rate=Price(Decimal("0.25")),
    )  # fmt: skip

    assert figures_difference(owed) is None
    assert figures_difference(replace(owed, amount=Money(Decimal("-2.51")))) is not None
