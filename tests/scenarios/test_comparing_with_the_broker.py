"""Reconciliation: what is taken in, what is corrected, and what makes the desk read-only."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.effects import FetchPicture
from core.facts import OrderFilled, PositionCorrected, ProposalSkipped, ReconciliationFailed, ReconciliationPassed
from core.inputs import PictureFetched, ProposeClose
from core.model.broker import BrokerPicture, BrokerPosition
from core.model.values import Price, Quantity, Symbol, plain
from core.settings import Amount, RiskSettings, Settings
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY


def holding(symbol: str, quantity: str) -> BrokerPosition:
    return BrokerPosition(Symbol(symbol), Quantity(Decimal(quantity)), Price(Decimal(100)))


def compares(house: House, *positions: BrokerPosition) -> None:
    """The broker's books arrive, with these positions."""
    picture = house.line.ask(FetchPicture())
    assert isinstance(picture, PictureFetched)
    assert isinstance(picture.answer, BrokerPicture)
    house.line.take(house.line.at, PictureFetched(replace(picture.answer, positions=positions)))


def a_quiet_house() -> House:
    return House(minutes("09:30", "10:30", "99.60")).opens().until("10:06")


def test_nothing_opens_before_the_books_were_compared() -> None:
    """EX-09"""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchPicture, arrives=True)
    house.opens().until("09:30:05")

    house.presses(a_typed_buy())

    assert house.last(ReconciliationFailed).reasons == ("the broker cannot be reached: the connection broke",)
    assert "read-only: the broker cannot be reached" in house.last(ProposalSkipped).reasons[0]


def test_an_unreachable_broker_is_asked_again_after_ten_seconds() -> None:
    """EX-09"""
    house = House(minutes("09:30", "10:30", "99.60"))
    house.line.breaks_at(FetchPicture, arrives=True)

    house.opens().until("09:30:15")

    assert len(house.facts(ReconciliationPassed)) == 1
    assert house.desk.control.refusal() is None


def test_books_that_agree_pass_and_are_not_told_again() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.502"))
    compares(house, holding("SPY", "0.502"))

    assert [r.corrections for r in house.facts(ReconciliationPassed)] == [()]


def test_a_difference_within_the_limits_is_corrected_because_the_broker_is_right() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house, holding("SPY", "0.500"))

    assert house.held() == "0.5"
    assert house.desk.ledger.position(SPY, "vwap") is not None
    assert house.desk.ledger.covered(SPY, "vwap") == Decimal("0.502")
    assert house.last(PositionCorrected).reason == "SPY: the broker has 0.500, our books had 0.502"
    assert house.last(ReconciliationPassed).corrections == ("SPY: the broker has 0.500, our books had 0.502",)


@pytest.mark.parametrize(("theirs", "is_corrected"), [("0.4781", True), ("0.4780", False)])
def test_over_five_percent_apart_the_desk_is_read_only(theirs: str, is_corrected: bool) -> None:
    """EX-09: 0.502 less 5 % of 0.4781 is 0.4781 to four places."""
    house = a_house_in_a_position()

    compares(house, holding("SPY", theirs))

    assert bool(house.facts(PositionCorrected)) is is_corrected
    assert (house.desk.control.refusal() is None) is is_corrected
    if not is_corrected:
        assert "over 5 % apart" in house.last(ReconciliationFailed).reasons[0]
        assert house.held() == "0.502"


@pytest.mark.parametrize(("theirs", "is_corrected"), [("0.400", True), ("0.399", False)])
def test_exactly_five_percent_is_within_the_limits(theirs: str, is_corrected: bool) -> None:
    """EX-09: ours are 0.420 shares, 0.02 more than the broker's 0.400."""
    risk = RiskSettings(max_notional=Amount(usd=Decimal("41.90"), of_equity=None))
    house = a_house_with_a_proposal(settings=Settings(risk=risk))
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    compares(house, holding("SPY", theirs))

    assert house.last(OrderFilled).fill.quantity == Decimal("0.420")
    assert bool(house.facts(PositionCorrected)) is is_corrected


def test_three_positions_that_we_did_not_know_are_taken_over() -> None:
    """EX-09"""
    house = a_quiet_house()

    compares(house, holding("AAA", "1"), holding("BBB", "2"), holding("CCC", "-3"))

    held = {p.symbol: plain(p.quantity) for p in house.desk.ledger.positions()}
    assert held == {"AAA": "1", "BBB": "2", "CCC": "-3"}
    assert {p.strategy for p in house.desk.ledger.positions()} == {"broker"}


def test_four_missing_positions_make_the_desk_read_only_and_change_nothing() -> None:
    """EX-09"""
    house = a_quiet_house()

    compares(house, holding("AAA", "1"), holding("BBB", "2"), holding("CCC", "3"), holding("DDD", "4"))

    assert house.desk.ledger.positions() == ()
    assert "4 positions are on one side only: AAA, BBB, CCC, DDD" in (house.desk.control.refusal() or "")


def test_a_position_that_the_broker_does_not_have_is_gone() -> None:
    """EX-09"""
    house = a_house_in_a_position()

    compares(house)

    assert house.held() == "0"


def test_a_read_only_desk_still_closes_what_it_holds() -> None:
    """EX-09, RK-22"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    compares(house, holding("SPY", "9"))
    assert house.desk.control.refusal() is not None

    house.presses(ProposeClose(SPY))
    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert house.held() == house.held_by_the_broker() == "0"


def test_a_restart_reads_only_until_it_has_compared() -> None:
    """EX-09, EX-20"""
    house = a_quiet_house()
    house.restarted()

    at_once = house.desk.control.refusal()
    house.until("10:06:01")

    assert at_once == "read-only: the books are not compared with the broker yet; wait a moment"
    assert house.desk.control.refusal() is None
