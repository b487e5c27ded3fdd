"""Whose shares they are when the broker's books show more or fewer than ours."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.execution.ledger_state import UNKNOWN_OWNER
from core.execution.order_status import change
from core.execution.position_correction import counted_before, given_back, owners_after
from core.facts import OwnerShare, PositionCorrected, Source
from core.model.broker import Execution
from core.model.codes import EndCode
from core.model.order import Effect, OrderStatus, Side
from core.model.values import NO_MONEY, ExecutionId, Price, Quantity
from tests.kit.rows import cases
from tests.unit.core.brokers.trading_floor import SPY
from tests.unit.core.execution.books import TEN, Books, a_request

AVERAGE = Price(Decimal("99.50"))


@dataclass(frozen=True)
class Held:
    """An owner's shares, signed, and for how many of them a stop works."""

    owner: str
    quantity: str
    guarded: str = "0"


def books_of(*holders: Held) -> Books:
    """The first is the oldest; each paid 100."""
    books = Books()
    for held in holders:
        quantity = Decimal(held.quantity)
        side, effect = (Side.BUY, Effect.OPEN) if quantity > 0 else (Side.SELL, Effect.SHORT)
        order = books.creates(
            a_request(f"in {held.owner}", side, str(abs(quantity)), effect=effect), strategy=held.owner
        )
        books.fills(order, abs(quantity), "100")
        books.becomes(order, OrderStatus.FILLED)
        if Decimal(held.guarded):
            closing = Effect.CLOSE if quantity > 0 else Effect.COVER
            stop = a_request(f"stop {held.owner}", side.opposite, held.guarded, effect=closing, stop="99")
            books.becomes(books.creates(stop, strategy=held.owner), OrderStatus.SUBMITTED)
        books.later(minutes=1)
    return books


def parts(books: Books, true: str) -> dict[str, str]:
    shares = owners_after(books.ledger, SPY, Quantity(Decimal(true)), AVERAGE)
    return {share.strategy: f"{share.quantity.normalize():f}" for share in shares}


VWAP, MANUAL = Held("vwap", "10", "10"), Held("manual", "5", "5")


@cases(
    "holders true after",
    pytest.param([VWAP], "8", {"vwap": "8"}, id="what one holds alone stays its own"),
    pytest.param([VWAP], "12", {"vwap": "12"}, id="also where it is more"),
    pytest.param([VWAP], "-3", {UNKNOWN_OWNER: "-3"}, id="and is nobody's where it is short now"),
    pytest.param([], "8", {}, id="nobody here holds any"),
    pytest.param([VWAP, MANUAL], "16", {"vwap": "10", "manual": "5", UNKNOWN_OWNER: "1"}, id="bought elsewhere"),
    pytest.param([VWAP, MANUAL], "14", {"vwap": "10", "manual": "4"}, id="sold elsewhere: the newest gives"),
    pytest.param(
        [VWAP, Held("manual", "5", "3"), Held("momentum", "4", "4")],
        "17",
        {"vwap": "10", "manual": "3", "momentum": "4"},
        id="what no stop guards goes first",
    ),
    pytest.param(
        [Held(UNKNOWN_OWNER, "2", "2"), VWAP, MANUAL],
        "14",
        {"vwap": "10", "manual": "4"},
        id="nobody's before anybody's",
    ),
    pytest.param([Held("vwap", "10", "4"), Held("manual", "5", "2")], "3", {"vwap": "3"}, id="then what a stop guards"),
    pytest.param([VWAP, MANUAL], "0", {}, id="all is gone"),
    pytest.param([VWAP, MANUAL], "-2", {UNKNOWN_OWNER: "-2"}, id="sold short elsewhere"),
    pytest.param(
        [VWAP, Held("manual", "-4", "4")], "5", {"vwap": "9", "manual": "-4"}, id="held both ways: the long gives"
    ),
    pytest.param(
        [VWAP, Held("manual", "-4", "4")], "7", {"vwap": "10", "manual": "-3"}, id="held both ways: the short does"
    ),
    pytest.param(
        [Held("vwap", "-10", "10"), Held("manual", "-5", "5")],
        "-14",
        {"vwap": "-10", "manual": "-4"},
        id="and of shorts alike",
    ),
)
def test_each_owner_keeps_its_shares(holders: list[Held], true: str, after: dict[str, str]) -> None:
    """EX-09, EX-13"""
    assert parts(books_of(*holders), true) == after


@cases(
    "holders true average price",
    pytest.param([VWAP, MANUAL], "16", "101", "116", id="one at 116 beside fifteen at 100"),
    pytest.param([Held("vwap", "-10"), Held("manual", "-5")], "-16", "101", "116", id="and short alike"),
    pytest.param([VWAP, Held(UNKNOWN_OWNER, "2")], "14", "101", "103.5", id="beside what is nobody's already"),
    pytest.param([VWAP, Held("manual", "-4")], "20", "101", "101", id="held both ways: the broker's average"),
    pytest.param([VWAP, MANUAL], "-2", "101", "101", id="short now: the broker's average"),
    pytest.param([VWAP, MANUAL], "16", "93", "93", id="nothing is left to pay for it: the broker's average"),
)
def test_unowned_shares_cost_the_rest_of_the_average(holders: list[Held], true: str, average: str, price: str) -> None:
    """EX-09, EX-13: each of ours cost 100; 16 at 101 are 1,616 USD, and 1,500 of them are ours."""
    books = books_of(*holders)

    shares = owners_after(books.ledger, SPY, Quantity(Decimal(true)), Price(Decimal(average)))

    assert {share.strategy: share.average_price for share in shares}[UNKNOWN_OWNER] == Decimal(price)
    assert all(share.average_price == 100 for share in shares if share.strategy != UNKNOWN_OWNER)


@settings(max_examples=24)
@given(
    st.lists(st.sampled_from(["-7", "-2", "3", "10"]), min_size=1, max_size=4),
    st.integers(-30, 30),
    st.booleans(),
)
def test_the_parts_are_the_brokers_whole(held: list[str], true: int, is_guarded: bool) -> None:
    """EX-09"""
    holders = [Held(f"s{n}", q, str(abs(int(q))) if is_guarded else "0") for n, q in enumerate(held)]
    books = books_of(*holders)

    shares = owners_after(books.ledger, SPY, Quantity(Decimal(true)), AVERAGE)
    books.fold(PositionCorrected(SPY, Quantity(Decimal(true)), AVERAGE, "the broker says so", shares))

    assert sum(share.quantity for share in shares) == true
    assert books.ledger.net_quantity(SPY) == true
    assert all(share.quantity for share in shares)


def test_an_owner_that_gave_nothing_is_unchanged() -> None:
    """EX-09, EX-13"""
    books = books_of(VWAP, MANUAL)
    before = books.ledger.position(SPY, "vwap")
    owners = (
        OwnerShare("vwap", Quantity(Decimal(10)), Price(Decimal(100))),
        OwnerShare("manual", Quantity(Decimal(4)), Price(Decimal(100))),
        OwnerShare(UNKNOWN_OWNER, Quantity(Decimal(1)), AVERAGE),
    )

    books.fold(PositionCorrected(SPY, Quantity(Decimal(15)), AVERAGE, "the broker has 15", owners))

    manual, nobodys = books.ledger.position(SPY, "manual"), books.ledger.position(SPY, UNKNOWN_OWNER)
    assert books.ledger.position(SPY, "vwap") is before
    assert manual is not None
    assert (manual.quantity, manual.entry_order, manual.entered, manual.average_price) == (4, "in manual", 4, 100)
    assert manual.opened_at > TEN
    assert nobodys is not None
    assert (nobodys.quantity, nobodys.average_price, nobodys.opened_at) == (1, AVERAGE, books.at)


@cases(
    "held taken_in sold told net",
    ("0", ["vwap 10"], "0", "in time", "10"),
    ("0", ["vwap 10"], "4", "in time", "6"),
    ("0", ["vwap 10"], "10", "in time", "0"),
    ("5", ["vwap 15"], "0", "in time", "15"),
    ("5", ["vwap 15"], "15", "in time", "0"),
    ("0", [f"{UNKNOWN_OWNER} 10"], "10", "in time", "0"),
    ("0", ["vwap 10"], "10", "bought later", "10"),
    ("0", ["vwap 10", ""], "0", "in time", "10"),
)
def test_a_lost_entrys_fill_adds_what_is_not_in_the_books(
    held: str, taken_in: list[str], sold: str, told: str, net: str
) -> None:
    """EX-05, EX-09: shares that the books took off again wait for the fill of the exit that sold them"""
    books = books_of(*([Held("vwap", held)] if held != "0" else []))
    lost = books.creates(a_request("lost"))
    books.fold(change(lost, OrderStatus.CANCELLED, Source.LOOK_UP, None, "", EndCode.NEVER_ARRIVED))
    books.later(minutes=1)
    bought = books.at
    for words in taken_in:
        owner, _, quantity = words.partition(" ")
        owners = (OwnerShare(owner, Quantity(Decimal(quantity)), AVERAGE),) if owner else ()
        books.fold(PositionCorrected(SPY, sum_of(owners), AVERAGE if owners else None, "", owners))
    if Decimal(sold):
        of = taken_in[0].partition(" ")[0]
        books.fills(books.creates(a_request("out", Side.SELL, sold), strategy=of), sold, "101")
    books.later(minutes=1)
    at = books.at if told == "bought later" else bought
    execution = Execution(ExecutionId("told"), at, Quantity(Decimal(10)), AVERAGE, NO_MONEY)

    before = books.ledger.net_quantity(SPY)
    if (correction := given_back(books.ledger, lost, execution, is_derived=False)) is not None:
        books.fold(correction)
    given = abs(before - books.ledger.net_quantity(SPY))
    books.fills(lost, "10", "99.50", is_late=True)
    if (correction := counted_before(books.ledger, lost, execution, given, is_derived=False)) is not None:
        books.fold(correction)

    assert books.ledger.net_quantity(SPY) == Decimal(net)


def sum_of(owners: tuple[OwnerShare, ...]) -> Quantity:
    return Quantity(sum((share.quantity for share in owners), Decimal(0)))
