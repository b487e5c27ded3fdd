"""The broker knows one position a symbol, the desk one for each owner: a correction leaves each its shares and stop."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import PositionCorrected, ReconciliationPassed
from core.messages.effects import FetchBooks
from core.messages.inputs import BooksFetched
from core.model.broker import BrokerBooks, BrokerPosition
from core.model.values import Price, Quantity, plain
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now
from tests.scenarios.house import STEADY, House, a_house_with_a_proposal, a_typed_buy, assert_can_be_rebuilt
from tests.scenarios.test_reconciliation import compares, holding
from tests.unit.core.brokers.trading_floor import SPY


def a_house_of_two(*, watched: bool = False, typed: str | None = "0.4") -> House:
    """It is 10:07: 0.502 are held for vwap, whose stop the broker holds or this desk watches, 0.4 for the operator."""
    risk = {"per_trade": {"usd": "1.50"}, "portfolio": {"max_exposure": 9}}
    table = {
        "risk": {**risk, "max_open_positions": 2},
        "strategies": {"vwap": {"stop_holder": "desk" if watched else "broker"}},
    }
    house = a_house_with_a_proposal(("10:06", "15:59", STEADY), settings=Settings.model_validate(table))
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    if typed is not None:
        house.presses(a_typed_buy(typed, limit="99.70", stop="99.00"))
        confirms_now(house)
    house.until("10:07")
    assert owners(house) == {"vwap": "0.502", **({} if typed is None else {"manual": typed})}
    return house


def owners(house: House) -> dict[str, str]:
    return {p.strategy: plain(p.quantity.normalize()) for p in house.desk.ledger.positions_in(SPY)}


def stops(house: House) -> dict[str, str]:
    """What guards each owner's shares at the broker: `0.502 at 99.30`."""
    working = [stop for stop in house.stops if stop.is_working and not stop.is_cancelling]
    return {s.strategy: f"{plain(s.remaining)} at {s.request.stop_price}" for s in working}


@pytest.mark.parametrize(
    ("theirs", "after", "guarded"),
    [
        pytest.param("0.930", {"vwap": "0.502", "manual": "0.4", UNKNOWN_OWNER: "0.028"}, "0.4", id="bought elsewhere"),
        pytest.param("0.900", {"vwap": "0.502", "manual": "0.398"}, "0.398", id="sold elsewhere"),
    ],
)
def test_a_correction_takes_no_stop_from_either_owner(theirs: str, after: dict[str, str], guarded: str) -> None:
    """EX-09, EX-13: both stops were cancelled, and both positions were nobody's. One over its position is cut."""
    house = a_house_of_two()
    before = stops(house)

    compares(house, holding("SPY", theirs))

    assert owners(house) == after
    assert stops(house)["vwap"] == before["vwap"] == "0.502 at 99.30"
    held = ", ".join(f"{owner} has {shares}" for owner, shares in after.items())
    reason = f"SPY: the broker has {theirs}, our books had 0.902; now {held}"
    assert house.last(PositionCorrected).reason == reason
    assert house.last(ReconciliationPassed).corrections == (reason,)
    house.until("10:07:01")
    assert stops(house) == {"vwap": "0.502 at 99.30", "manual": f"{guarded} at 99.00"}
    assert_can_be_rebuilt(house)


def test_shares_of_no_owner_have_no_stop() -> None:
    """EX-09, OP-06: nobody's in particular, and nobody guards it."""
    house = a_house_of_two()

    compares(house, holding("SPY", "0.930"))

    rows = {row.strategy: row for row in ViewBuilder(house.engine).draw(house.line.at).positions}
    assert (rows[UNKNOWN_OWNER].quantity, rows[UNKNOWN_OWNER].covered) == (Decimal("0.028"), Decimal(0))
    assert rows["vwap"].covered == Decimal("0.502")


def test_each_stop_ends_its_own_trade() -> None:
    """EX-13, EX-18"""
    house = a_house_of_two()
    compares(house, holding("SPY", "0.930"))

    vwap = house.desk.ledger.position(SPY, "vwap")
    manual = house.desk.ledger.position(SPY, "manual")

    assert vwap is not None
    assert manual is not None
    assert (plain(vwap.average_price), vwap.entry_order) == ("99.6", house.entry.id)
    assert manual.entry_order != vwap.entry_order


@pytest.mark.parametrize(
    ("theirs", "mismatch"), [("0.900", "two owners"), ("0.930", "two owners"), ("0.500", "one owner")]
)
def test_a_stop_watched_by_the_desk_outlives_a_correction(theirs: str, mismatch: str) -> None:
    """OP-06, ST-09: the prices of an entry end with a split alone."""
    house = a_house_of_two(watched=True, typed="0.4" if mismatch == "two owners" else None)

    compares(house, holding("SPY", theirs))

    position = house.desk.ledger.position(SPY, "vwap")
    assert position is not None
    mark = house.desk.exits.mark(position)
    assert house.facts(PositionCorrected)
    assert (mark.stop, mark.is_stop_ours) == (Decimal("99.30"), True)
    assert_can_be_rebuilt(house)


def test_an_accepted_split_divides_both_positions() -> None:
    """EX-09, EX-25: two for one; what the entries named is halved."""
    house = a_house_of_two(watched=True)
    twice = BrokerPosition(SPY, Quantity(Decimal("1.804")), Price(Decimal("49.80")))

    house.accepts(replace(view_of(house), positions=(twice,)))

    vwap = house.desk.ledger.position(SPY, "vwap")
    assert owners(house) == {"vwap": "1.004", "manual": "0.8"}
    assert vwap is not None
    assert (vwap.average_price, vwap.entry_order) == (Decimal("49.8"), house.entry.id)
    assert house.desk.exits.mark(vwap).stop == Decimal("49.65")
    assert_can_be_rebuilt(house)


def test_an_older_record_without_owners_is_taken() -> None:
    """SP-07: it named no owners, and what several held was nobody's in particular."""
    house = a_house_of_two()

    house.desk.record(PositionCorrected(SPY, Quantity(Decimal("0.9")), Price(Decimal(100)), "an older desk's"))

    assert owners(house) == {UNKNOWN_OWNER: "0.9"}


def view_of(house: House) -> BrokerBooks:
    fetched = house.line.ask(FetchBooks())
    assert isinstance(fetched, BooksFetched)
    assert isinstance(fetched.answer, BrokerBooks)
    return fetched.answer
