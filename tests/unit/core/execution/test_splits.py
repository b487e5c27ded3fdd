"""A split out of the broker's list: what it makes of each owner's shares, and when it is left to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.execution.corporate_actions import SPLITS, action_in_books, owners_of_split, split_ratio, splits_in
from core.execution.ledger import Ledger
from core.facts import CorporateActionApplied, OrderRestated, OwnerShare, PositionCorrected
from core.model.broker import BrokerPosition
from core.model.order import Effect, OrderStatus, Side
from core.model.order_terms import StatedTerms
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.rescaling import MOST
from core.model.values import CENT, Price, Quantity, Symbol
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import NewYorkHours, at
from tests.unit.core.execution.books import Books, a_request

SPY = Symbol("SPY")
TOLERANCE = Decimal("0.01")
DAY = date(2026, 11, 19)


def a_ledger(*owned: tuple[str, str]) -> Ledger:
    """Positions of several owners, each at 100 a share, and without stops."""
    ledger = Ledger(NewYorkHours())
    owners = tuple(OwnerShare(name, Quantity(Decimal(shares)), Price(Decimal(100))) for name, shares in owned)
    total = Quantity(sum((owner.quantity for owner in owners), Decimal(0)))
    ledger.folds[PositionCorrected](at("09:30"), PositionCorrected(SPY, total, Price(Decimal(100)), "", owners))
    return ledger


def a_row(name: str, shares: str) -> Activity:
    quantity = Quantity(Decimal(shares))
    return Activity(ActivityId(name), DAY, ActivityKind.SPLIT, symbol=SPY, quantity=quantity)


def the_split(ledger: Ledger, held: str, *rows: Activity, average: str | None = None) -> CorporateActionApplied:
    """By these rows, and the broker's shares; their average is that of the same cost unless told."""
    cost, shares = sum(position.cost for position in ledger.positions()), Decimal(held)
    theirs = BrokerPosition(SPY, Quantity(shares), Price(Decimal(average) if average else cost / abs(shares)))
    (found,) = splits_in(rows, ledger.positions_in, {SPY: theirs}, TOLERANCE)
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


def test_a_fraction_paid_in_cash_leaves_with_its_cost() -> None:
    """EX-25: fifteen at 100 become one at 1,000; a half is paid"""
    ledger = a_ledger(("vwap", "15"))

    split = the_split(ledger, "1", a_row("new", "-14"), average="1000")
    ledger.folds[CorporateActionApplied](at("09:31"), split)

    (position,) = ledger.positions()
    assert split.ratio == Decimal("0.1")
    assert (position.quantity, position.cost, position.entered) == (1, 1000, 1)


@table(
    "before after price ratio",
    ("10", "20", "50", "2"), ("10", "15", "66.667", "1.5"), ("-10", "-20", "50", "2"), ("10", "1", "1000", "0.1"),
    ("15", "1", "1000", "0.1"), ("300", "2", "15000", "0.006666666666666666666666666667"),
    ("10", "11", "90.909", "1.1"), ("20", "21", "95.238", "1.05"), ("10", "14", "71.43", "1.4"),
    ("17830", "10", "178300", "0.0005608524957936062815479528884"), ("20000", "11", "178300", None),
    ("10", "20", "100", None), ("10", "13.7", "73", None), ("10", "-20", "50", None), ("10", "20", "0", None),
)  # fmt: skip
def test_ratios_that_explain_shares_and_price(before: str, after: str, price: str, ratio: str | None) -> None:
    """EX-25: from 100 USD a share"""
    found = split_ratio(
        Quantity(Decimal(before)), Quantity(Decimal(after)), Price(Decimal(100)), Price(Decimal(price)), TOLERANCE
    )
    assert found == (None if ratio is None else Decimal(ratio))


@table(
    "terms before after is_marked",
    ({"stop": "90"}, None, None, True), ({"stop": "45"}, "90", "45", False), ({"stop": "80"}, "90", "80", True),
)  # fmt: skip
def test_orders_from_before_a_split_are_marked(
    terms: dict[str, str], before: str | None, after: str | None, is_marked: bool
) -> None:
    """EX-25: but not one that the broker restated by the same ratio"""
    books = Books()
    books.fills(books.creates(a_request("entry", Side.BUY, "10", effect=Effect.OPEN)), "10", "100")
    stop = books.creates(a_request("stop", Side.SELL, "10", effect=Effect.CLOSE, stop=before or terms["stop"]))
    books.becomes(stop, OrderStatus.SUBMITTED)
    if after is not None:
        old = StatedTerms.of_order(stop.request)
        books.fold(OrderRestated(stop.id, old, replace(old, stop_price=Price(Decimal(after)))))
    theirs = BrokerPosition(SPY, Quantity(Decimal(20)), Price(Decimal(50)))
    split = action_in_books(books.ledger.positions_in(SPY), theirs, DAY, TOLERANCE)
    assert split is not None
    books.fold(split)

    assert stop.is_before_split is is_marked
    assert books.ledger.exits.covered(SPY, books.ledger.positions()[0].strategy) == (0 if is_marked else 10)


@table(
    "true ratio after",
    ("30", "2", {"vwap": "20", "manual": "10"}), ("5", "1/3", {"vwap": "4", "manual": "1"}),
    ("1.5", "0.1", {"vwap": "1", "manual": "0.5"}),
)  # fmt: skip
def test_a_split_gives_each_owner_its_part(true: str, ratio: str, after: dict[str, str]) -> None:
    """EX-09: ten and five; a part of a share goes to the largest"""
    ledger = a_ledger(("vwap", "10"), ("manual", "5"))
    new, _, old = ratio.partition("/")

    owners = owners_of_split(ledger.positions_in(SPY), Quantity(Decimal(true)), Decimal(new) / Decimal(old or 1))

    assert {owner.strategy: f"{owner.quantity.normalize():f}" for owner in owners} == after


@settings(max_examples=24)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.sampled_from(SPLITS), st.booleans(), st.booleans())
def test_the_owners_have_the_brokers_whole(held: list[int], new: Decimal, is_reverse: bool, is_short: bool) -> None:
    """EX-25: also where a fraction of the whole is paid in cash"""
    exact, sign = Fraction(new).limit_denominator(MOST), -1 if is_short else 1
    exact = 1 / exact if is_reverse else exact
    ratio = Decimal(exact.numerator) / exact.denominator
    ledger = a_ledger(*((f"s{number}", str(sign * shares)) for number, shares in enumerate(held)))
    whole = Quantity(Decimal(sign * int(sum(held) * exact)))
    theirs = BrokerPosition(SPY, whole, Price(100 / ratio))
    split = action_in_books(ledger.positions_in(SPY), theirs, DAY, TOLERANCE)
    assume(whole)
    assert split is not None
    ledger.folds[CorporateActionApplied](at("09:31"), split)

    assert ledger.net_quantity(SPY) == whole
    assert abs(sum(position.cost for position in ledger.positions()) - abs(whole) * 100 / ratio) < CENT
