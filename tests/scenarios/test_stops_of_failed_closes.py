"""A close that was given up or lost with some of its stops gone: which go back, and which stay (EX-21, EX-13)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.execution.order import Order
from core.execution.stop_coverage import unprotected_in_words
from core.facts import AuthorizationEnded, Halted, StopAskedFor
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, SubmitOrder
from core.model.broker import UpdateEvent
from core.model.codes import AuthorizationCode
from core.model.order import OrderStatus, OrderType
from core.model.values import Fraction, Quantity, plain
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import RARELY, House, assert_can_be_rebuilt, minutes
from tests.scenarios.requests import CANCEL, Request, requested
from tests.scenarios.test_stops_after_a_close import BOTH, Way, enters, holding_six, quiet_but, working
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY


def two_stops_whose_sale_never_arrived(way: Way, days: int) -> House:
    """Three at 99 and three at 98 made way for a sale that the line lost; the desk was off for so many days."""
    later = minutes("09:30", "09:45", day=THURSDAY + timedelta(days=days))
    house = House([*quiet_but(way), *later], ROOMY, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    for stop in ("99", "98"):
        enters(house, way, "3", "100.10", stop)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.confirms()
    house.line.breaks_at(SubmitOrder, arrives=False)
    passes(house, 1)
    house.line.at += timedelta(days=days, minutes=-30)
    house = house.restarted()
    passes(house, 120)
    assert (plain(abs(Decimal(house.held()))), working(house), house.facts(Halted)) == ("6", [], [])
    return house


def one_of_two_stops_stays(way: Way, goes: int = 0, *, second: str = "98", seconds: float = 100) -> House:
    """Four at 99 and three at 98; the cancel of one gets lost until the close is given up."""
    house = House(quiet_but(way), ROOMY, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    for shares, stop in (("4", "99"), ("3", second)):
        enters(house, way, shares, "100.10", stop)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.line.breaks_at(CancelOrder, arrives=False, times=40)
    house.exchange.cancel(house.line.at, house.stops[goes].id)
    house.confirms()
    passes(house, seconds)
    house.line.mends()
    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(AuthorizationEnded)]
    return house


def ends_alone(house: House, leg: Order) -> None:
    """At a broker that leaves the other leg of its pair as it is."""
    booked = house.exchange._book.find(leg.id)
    assert booked is not None
    house.exchange._book._close(booked, house.line.at)
    house.exchange._book._tell(booked, UpdateEvent.CANCELED, house.line.at)


@BOTH
@pytest.mark.parametrize("goes", [0, 1], ids=["the first goes", "the second goes"])
def test_one_stop_goes_back_although_the_other_stayed(way: Way, goes: int) -> None:
    """EX-21, EX-13, OP-02: the close was given up with one of two stops gone; each is for its own shares"""
    house = one_of_two_stops_stays(way, goes)
    passes(house, 60)

    both = [f"{way.out} stop {shares} {plain(way.at(stop))}" for shares, stop in (("4", "99"), ("3", "98"))]
    assert sorted(working(house)) == sorted(both)
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
@pytest.mark.parametrize("seconds", [1, 100], ids=["before", "after"])
def test_a_target_makes_way_for_the_stop_of_its_pair(way: Way, seconds: float) -> None:
    """EX-21, EX-13: the stop alone ended, before the close was given up or after; the shares are its again"""
    house = House(quiet_but(way), ROOMY, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    enters(house, way, "4", "100.10", "99", target_price=way.at("103"))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.line.breaks_at(CancelOrder, arrives=False, times=40)
    house.confirms()
    passes(house, seconds)
    ends_alone(house, house.stops[0])
    passes(house, 101 - seconds)
    house.line.mends()
    passes(house, 120)

    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(AuthorizationEnded)]
    assert working(house) == [f"{way.out} stop 4 {plain(way.at('99'))}"]
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
def test_a_kept_stop_does_not_block_the_next_close(way: Way) -> None:
    """EX-21: one of the stops makes way at once, the other seconds later; nothing of the first close goes between"""
    house = one_of_two_stops_stays(way)
    passes(house, 60)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.line.breaks_at(CancelOrder, arrives=False, times=2)
    house.confirms()
    house.exchange.cancel(house.line.at, house.stops[1].id)
    passes(house, 30)

    assert (house.held(), working(house)) == ("0", [])
    assert requested(house)[-1] == Request("submit", way.out, "market", "7")


@BOTH
def test_a_kept_stop_cancelled_elsewhere_stays_cancelled(way: Way) -> None:
    """EX-13, EX-21: nothing is sent behind that person's back; what was lost without a word has arrived by then"""
    house = one_of_two_stops_stays(way)
    passes(house, 600)
    asked = requested(house)

    house.exchange.cancel(house.line.at, house.stops[1].id)
    passes(house, 120)

    assert requested(house) == [*asked, CANCEL]
    assert AuthorizationCode.STAYED in [fact.code for fact in house.facts(AuthorizationEnded)]
    assert len(unprotected_in_words(house.desk.ledger)) == 1


@BOTH
def test_a_kept_stop_that_expires_is_asked_for(way: Way) -> None:
    """OP-02, EX-21, EX-22: as any stop is, whether or not a close was given up"""
    bars = [*minutes("09:58", "10:10"), *minutes("15:50", "15:59")]
    house = (
        House(bars, ROOMY.model_copy(update=RARELY), cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    )
    enters(house, way, "4", "100.10", "99")
    house.until("15:57")
    passes(house, 30)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.line.breaks_at(CancelOrder, arrives=False, times=40)
    house.confirms()
    passes(house, 70)
    house.line.mends()
    house.until("16:40")

    assert house.stops[0].status is OrderStatus.EXPIRED
    assert (working(house), [p.order.type for p in house.desk.stage.proposals()]) == ([], [OrderType.STOP])


@BOTH
def test_a_cancelled_stop_lets_the_other_one_go_back(way: Way) -> None:
    """EX-21, EX-13"""
    house = one_of_two_stops_stays(way, seconds=61.5, second="99")
    house.presses(RequestCancel(house.stops[1].id))
    passes(house, 60)

    assert working(house) == [f"{way.out} stop 4 {plain(way.at('99'))}"]
    assert_can_be_rebuilt(house)


@BOTH
@pytest.mark.parametrize("goes", [0, 1], ids=["the first goes", "the second goes"])
def test_a_second_failed_close_leaves_all_protected(way: Way, goes: int) -> None:
    """EX-21, EX-13: the second close waits for the stop that stayed, and its sale is refused"""
    house = one_of_two_stops_stays(way, goes, seconds=60.5)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.confirms()
    house.line.refuses_the_next_order("no")
    passes(house, 200)

    both = [f"{way.out} stop {shares} {plain(way.at(stop))}" for shares, stop in (("4", "99"), ("3", "98"))]
    assert sorted(working(house)) == sorted(both)
    assert_can_be_rebuilt(house)


@BOTH
def test_an_undecided_key_keeps_no_stop_away(way: Way) -> None:
    """EX-21, EX-13: what a close of two leaves is guarded at once; the next close is refused, for its stops changed"""
    house = holding_six(way)
    two = ProposeClose(SPY, quantity=Quantity(Decimal(2)))
    house.presses(two)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 0.05)
    house.slows_down(3)  # the stop's cancel
    passes(house, 0.15)
    house.slows_down(0.1)
    house.presses(two)
    house.opens_ticket()
    passes(house, 0.5)
    house.slows_down(4)  # the figures that the second key waits for
    house.confirms()
    passes(house, 0.05)
    house.slows_down(0.1)
    passes(house, 60)

    assert (house.held().lstrip("-"), working(house)) == ("4", [f"{way.out} stop 4 {plain(way.at('99'))}"])


@BOTH
def test_the_failed_one_of_two_closes_stays_protected(way: Way) -> None:
    """EX-21, EX-13: the ticket of the second named the one stop that was still there, and sold of the shares of both"""
    house = House(quiet_but(way), ROOMY, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    for shares, stop in (("4", "99"), ("2", "98")):
        enters(house, way, shares, "100.10", stop)
    house.line.breaks_at(CancelOrder, arrives=False, times=2)
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    confirms_now(house)
    house.exchange.cancel(house.line.at, house.stops[0].id)
    passes(house, 0.5)
    house.presses(ProposeClose(SPY, Fraction(Decimal(1))))
    confirms_now(house)
    ask, sent = house.line.ask, list[SubmitOrder]()

    def refuses_the_second(effect: Any) -> Any:
        answer = ask(effect)
        if isinstance(effect, SubmitOrder):
            if not sent:
                house.line.refuses_the_next_order("no")
            sent.append(effect)
        return answer

    house.line.ask = refuses_the_second  # type: ignore[method-assign]
    passes(house, 60)

    assert [plain(effect.order.quantity) for effect in sent[:2]] == ["3", "3"]
    assert house.held() in ("3", "-3")
    assert not unprotected_in_words(house.desk.ledger)
    assert_can_be_rebuilt(house)


@BOTH
def test_both_stops_of_a_lost_sale_are_asked_for(way: Way) -> None:
    """EX-21, EX-22, OP-02: the ticket of the first made the desk forget what was signed for the second"""
    house = two_stops_whose_sale_never_arrived(way, days=4)

    assert [(plain(p.order.quantity), p.order.type) for p in house.desk.stage.proposals()] == [("6", OrderType.STOP)]
    assert len(house.facts(StopAskedFor)) == 2
    assert_can_be_rebuilt(house)


@BOTH
def test_after_a_week_the_stops_cannot_be_asked_for(way: Way) -> None:
    """EX-21, EX-22: it halted on what was signed and is forgotten, or said that nothing is left to protect"""
    house = two_stops_whose_sale_never_arrived(way, days=11)

    ends = [fact.code for fact in house.facts(AuthorizationEnded) if "restore_stop" in fact.authorization_id]
    assert ends == [AuthorizationCode.NOT_ASKED_AGAIN] * 2
    assert_can_be_rebuilt(house)
