"""A split out of the broker's list: what it makes of each owner's shares, and when it is left to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.position_correction import splits_in
from core.facts import CorporateActionApplied, OwnerShare, PositionCorrected
from core.model.order import Effect, OrderStatus, OrderType, Side
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.values import Price, Quantity, Symbol
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import NewYorkHours, at
from tests.unit.core.execution.books import Books, a_request, a_stop_plan

SPY = Symbol("SPY")
LAST = {SPY: Price(Decimal(300))}


def a_ledger(*owned: tuple[str, str]) -> Ledger:
    """Positions of several owners, each at 100 a share, and without stops."""
    ledger = Ledger(NewYorkHours())
    owners = tuple(OwnerShare(name, Quantity(Decimal(shares)), Price(Decimal(100))) for name, shares in owned)
    total = Quantity(sum((owner.quantity for owner in owners), Decimal(0)))
    ledger.folds[PositionCorrected](at("09:30"), PositionCorrected(SPY, total, Price(Decimal(100)), "", owners))
    return ledger


def a_row(name: str, shares: str) -> Activity:
    quantity = Quantity(Decimal(shares))
    return Activity(ActivityId(name), date(2026, 11, 19), ActivityKind.SPLIT, symbol=SPY, quantity=quantity)


def the_split(ledger: Ledger, held: str, *rows: Activity) -> CorporateActionApplied:
    (found,) = splits_in(rows, ledger, {SPY: Quantity(Decimal(held))}, LAST)
    return found


@table("rows", (a_row("new", "20"),), (a_row("gone", "-10"), a_row("come", "30")))
def test_a_split_keeps_each_owners_cost(rows: tuple[Activity, ...]) -> None:
    """EX-09: three for one, booked as one row or as two."""
    ledger = a_ledger(("vwap", "6"), ("manual", "4"))

    split = the_split(ledger, "30", *rows)
    ledger.folds[CorporateActionApplied](at("09:31"), split)

    assert (split.ratio, len(split.activity_ids)) == (3, len(rows))
    assert {p.strategy: (p.quantity, p.cost) for p in ledger.positions()} == {"vwap": (18, 600), "manual": (12, 400)}


def test_a_reverse_split_keeps_the_cost() -> None:
    """EX-09: ten at 100 become one at 1,000."""
    ledger = a_ledger(("vwap", "10"))

    ledger.folds[CorporateActionApplied](at("09:31"), the_split(ledger, "1", a_row("new", "-9")))

    (position,) = ledger.positions()
    assert (position.quantity, position.cost, position.average_price) == (1, 1000, 1000)


@table("ours held", ("30", "30"), ("10", "29"), ("9", "30"))
def test_books_already_split_are_left_alone(ours: str, held: str) -> None:
    """EX-09"""
    ledger = a_ledger(("vwap", ours))

    split = the_split(ledger, held, a_row("new", "20"))
    ledger.folds[CorporateActionApplied](at("09:31"), split)

    assert split.owners == ()
    assert str(ledger.net_quantity(SPY)) == ours


@table(
    "side after last stop working is_applied",
    (Side.BUY, "30", "300", "99", None, True), (Side.BUY, "30", "297", "99", None, False),
    (Side.SELL, "-30", "300", "101", None, True), (Side.SELL, "-30", "303", "101", None, False),
    (Side.BUY, "30", "300", "95", {"stop": "100"}, False), (Side.BUY, "30", "300", "95", {"stop": "99.99"}, True),
    (Side.BUY, "30", "300", "95", {"trail": "150"}, False), (Side.BUY, "30", "300", "95", {"trail": "250"}, True),
    (Side.SELL, "-30", "300", "105", {"stop": "100"}, False), (Side.SELL, "-30", "300", "101", {"trail": "5"}, True),
)  # fmt: skip
def test_a_split_that_meets_a_stop_is_left_to_a_person(
    side: Side, after: str, last: str, stop: str, working: dict[str, str] | None, is_applied: bool
) -> None:
    """EX-09: at a third of the last price; the entry's own stop, one that was moved, and one that trails"""
    books = Books()
    entry = books.creates(a_request("entry", side, "10", effect=Effect.OPEN), stop=a_stop_plan(stop))
    books.fills(entry, "10", "300")
    if working is not None:
        request = a_request("stop", side.opposite, "10", effect=Effect.CLOSE, stop=working.get("stop", "1"))
        if "trail" in working:
            trail = Price(Decimal(working["trail"]))
            request = replace(request, type=OrderType.TRAILING_STOP, stop_price=None, trail_price=trail)
        books.becomes(books.creates(request), OrderStatus.SUBMITTED)

    row = a_row("new", str(Decimal(after) * 2 / 3))
    (split,) = splits_in([row], books.ledger, {SPY: Quantity(Decimal(after))}, {SPY: Price(Decimal(last))})

    assert (split.ratio, bool(split.owners)) == (3, is_applied)
