"""The broker accepts no orders of the account: no stop is given up for a sale, and what is owed goes out later."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import AccountBlocked, AuthorizationEnded, ConfirmationRefused, OrderKept, StopOwed
from core.messages.commands import Kill, ProposeClose, RequestCancel
from core.messages.inputs import AccountFetched
from core.model.codes import AuthorizationCode, OwedReason
from core.model.order import OrderStatus, OrderType
from core.model.staging import CheckResult
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.test_held_exits import holding as held_for_room
from tests.scenarios.test_held_exits import stop_of
from tests.scenarios.test_owed_stops import is_bare, waiting, working_stops
from tests.unit.core.brokers.trading_floor import SPY

GUARDED = ["10 at 98.5"]


def holding_ten(receivers: Receivers | None = None) -> House:
    """Ten shares, bought by hand, and their stop at 98.5 at the broker."""
    terms = ROOMY.model_copy(update={"notify": settings().notify})
    house = House(minutes("09:55", "10:59"), terms, cash=Decimal(10_000)).opens().until("10:05")
    with_receivers(house, receivers or Receivers())
    house.presses(a_typed_buy("10", limit="100.10", stop="98.5"))
    confirms_now(house)
    house.until("10:08")
    assert (house.held(), working_stops(house)) == ("10", GUARDED)
    return house


def closes(house: House) -> None:
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 1)


def test_a_close_s_ticket_warns_of_a_blocked_account() -> None:
    """RK-22, OP-03: as soon as its figures say so"""
    house = holding_ten()
    house.line.blocks_the_account()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)

    warned = {v.check for v in house.ticket.review.verdicts if v.standing is CheckResult.WARNS}
    assert "buying power" in warned


def test_no_stop_is_given_up_for_a_refused_sale() -> None:
    """EX-21, EX-13: the close is refused before the cancel, by the figures fetched for its key"""
    house = holding_ten()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.line.blocks_the_account()
    house.confirms()
    passes(house, 2)

    assert len(house.facts(ConfirmationRefused)) == 1
    assert (working_stops(house), is_bare(house)) == (GUARDED, ())
    assert ("cancel",) not in house.sent()


def test_its_stop_can_be_cancelled_on_purpose() -> None:
    """EX-21, RK-22: then the close goes to the broker, whatever the figures say"""
    house = holding_ten()
    house.line.blocks_the_account()
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 2)
    closes(house)

    assert working_stops(house) == []
    assert house.sale.status is OrderStatus.REJECTED


@pytest.mark.parametrize("is_shown_after", [0.0, 20.0])
def test_a_refused_stop_returns_with_the_end_of_the_block(is_shown_after: float) -> None:
    """EX-22: a block that the figures for the key do not show; the stop is sent again by itself within five seconds"""
    house = holding_ten()
    house.line.refuses_orders = True
    closes(house)
    passes(house, is_shown_after)
    bare = (working_stops(house), house.held())
    house.line.blocks_the_account()
    passes(house, 60)
    house.line.unblocks_the_account()
    passes(house, 6)

    assert bare == ([], "10")
    assert (working_stops(house), is_bare(house)) == (GUARDED, ())
    assert_can_be_rebuilt(house)


def test_a_notice_says_why_within_five_seconds() -> None:
    """EX-22, SY-03: unprotected, because the broker accepts no orders"""
    receivers = Receivers()
    house = holding_ten(receivers)
    house.line.refuses_orders = True
    closes(house)
    house.line.blocks_the_account()
    passes(house, 5)

    assert [fact.why for fact in house.facts(StopOwed)][-1] is OwedReason.BLOCKED
    assert [sent for sent in receivers.heard if sent.is_urgent]


def test_a_stop_refused_after_the_end_is_sent_again() -> None:
    """EX-22: the figures show the end before the orders are accepted; a minute later a refusal has another cause"""
    house = holding_ten()
    house.line.refuses_orders = True
    closes(house)
    house.line.blocks_the_account()
    passes(house, 30)
    house.line.shown_block = ""
    passes(house, 20)
    tries = len(house.facts(OrderKept))
    house.line.refuses_orders = False
    passes(house, 6)

    assert tries > 1
    assert (working_stops(house), is_bare(house)) == (GUARDED, ())


def test_a_stop_refused_for_another_cause_is_no_block() -> None:
    """EX-13: the figures never show one: it waits for its key, and nothing is sent again"""
    house = holding_ten()
    house.line.refuses_orders = True
    closes(house)
    passes(house, 90)

    assert (house.facts(OrderKept), house.facts(AccountBlocked)) == ([], [])
    assert waiting(house) == GUARDED


def test_a_refused_exit_waits_on_a_ticket_after_the_block() -> None:
    """EX-22, OP-02: its key was for the price of then"""
    house = holding_ten()
    house.line.blocks_the_account()
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 2)
    closes(house)
    during = house.desk.stage.proposals()
    house.line.unblocks_the_account()
    passes(house, 6)

    assert during == ()
    assert [(p.order.quantity, p.order.type) for p in house.desk.stage.proposals()] == [(10, OrderType.MARKET)]


def test_a_kill_with_naked_keeps_a_refused_stop_away() -> None:
    """OP-07: typed while the account is blocked"""
    house = holding_ten()
    house.line.refuses_orders = True
    closes(house)
    house.line.blocks_the_account()
    passes(house, 5)
    house.presses(Kill("key", naked=True))
    house.line.unblocks_the_account()
    passes(house, 60)

    assert (working_stops(house), house.facts(OrderKept)) == ([], [])


def test_a_close_held_for_room_ends_when_a_block_is_known() -> None:
    """EX-21, RK-24: its stop has not been asked to go, and stays"""
    house = held_for_room()
    house.line.blocks_the_account()
    house.line.take(house.line.at, AccountFetched(replace(house.exchange.account(house.line.at), blocked_because="x")))
    passes(house, 62)

    assert [f.code for f in house.facts(AuthorizationEnded)][:1] == [AuthorizationCode.REFUSED]
    assert stop_of(house) == (True, False)
