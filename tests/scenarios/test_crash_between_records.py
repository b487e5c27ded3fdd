"""The engine dies between the record that uses an approval and the record of its order: neither is lost nor doubled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import (
    ApprovalRedeemed,
    EngineStarted,
    Fact,
    Halted,
    Killed,
    OrderApproved,
    OrderCreated,
    OrderFilled,
    SubmissionBlocked,
    TradeClosed,
)
from core.messages.commands import Kill, ProposeClose
from core.messages.effects import CancelOrder, SubmitOrder
from core.messages.inputs import SubmissionStopped
from core.model.values import Quantity, plain
from core.views.builders.desk import ViewBuilder
from core.views.builders.history import history_of
from core.workflows.engine_start import NOT_WRITTEN
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import (
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.unit.core.brokers.trading_floor import SPY

AWAY = ("10:06", "10:30", "99.70 99.70 99.65 99.70")
"""The limit at 99.60 is never touched."""
BUY, STOP = ("submit", "buy", "limit", "0.502"), ("submit", "sell", "stop", "0.502")
A_FIFTH = Quantity(Decimal("0.1"))


def dies_behind(house: House, kind: type[Fact], orders: int) -> None:
    """As soon as this many orders are written down; of the newest only the records up to `kind` reach the disk."""
    while len(house.facts(OrderCreated)) < orders:
        house.until_moment(house.line.at + timedelta(milliseconds=50))
    house.loses_the_journal_after([r.sequence for r in house.journal.records() if type(r.fact) is kind][-1])
    house.restarted()


@pytest.mark.parametrize("last", [OrderApproved, ApprovalRedeemed])
def test_unwritten_entry_is_reported_and_never_sent(last: type[Fact]) -> None:
    """EX-20, OP-02"""
    house = a_house_with_a_proposal(AWAY)
    house.slows_down(1)
    house.confirms_at("10:06:02")

    dies_behind(house, last, orders=1)
    passes(house, 5)
    house.restarted()
    passes(house, 5)

    (told,) = house.facts(SubmissionBlocked)
    assert told.reason == NOT_WRITTEN
    assert house.sent() == []


def test_unwritten_entry_is_reported_over_two_crashes() -> None:
    """EX-20: the second comes right behind the record of the first start"""
    house = a_house_with_a_proposal(AWAY)
    house.slows_down(1)
    house.confirms_at("10:06:02")
    dies_behind(house, ApprovalRedeemed, orders=1)
    house.loses_the_journal_after([r.sequence for r in house.journal.records() if type(r.fact) is EngineStarted][-1])
    house.restarted()
    passes(house, 5)

    (told,) = house.facts(SubmissionBlocked)
    assert told.reason == NOT_WRITTEN


def test_unwritten_stop_is_sent() -> None:
    """EX-20, OP-06: what was signed for it stands as before."""
    house = a_house_with_a_proposal(("10:06", "10:30", STEADY))
    house.slows_down(0.5)
    house.confirms_at("10:06:02")

    dies_behind(house, ApprovalRedeemed, orders=2)
    passes(house, 5)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert plain(row.covered) == plain(row.quantity) == "0.502"
    assert house.sent() == [BUY, STOP]


def test_unwritten_close_is_sent_in_time() -> None:
    """EX-20, EX-21"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.slows_down(0.5)
    house.presses(ProposeClose(SPY))
    passes(house, 2)
    confirms_now(house)

    dies_behind(house, ApprovalRedeemed, orders=3)
    passes(house, 10)

    assert house.sent() == [BUY, STOP, ("cancel",), ("submit", "sell", "market", "0.502")]
    assert house.held() == house.held_by_the_broker() == "0"


def test_blocked_sale_restores_its_stop() -> None:
    """EX-21, EX-13: that the sale was blocked takes nothing from what was signed with it."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.slows_down(0.2)
    house.presses(ProposeClose(SPY))
    passes(house, 2)
    confirms_now(house)
    house.line.breaks_at(SubmitOrder, arrives=False)
    while len(house.facts(OrderCreated)) < 3:
        house.until_moment(house.line.at + timedelta(milliseconds=50))
    sale = house.facts(OrderCreated)[-1].order.client_order_id
    house.line.take(house.line.at, SubmissionStopped(sale, "the latch is shut"))
    passes(house, 5)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert house.facts(SubmissionBlocked)[-1].client_order_id == sale
    assert not house.facts(Halted)
    assert plain(row.covered) == plain(row.quantity) == "0.502"


def test_lost_close_blocks_no_stop() -> None:
    """EX-21, EX-13: a second close waits for the same stop, and the engine dies before its key is used.

    What the first one leaves has its stop again: the second one never began.
    """
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.slows_down(0.2)
    house.line.breaks_at(CancelOrder, arrives=False, times=4)
    for approved in (2, 3):
        house.presses(ProposeClose(SPY, quantity=A_FIFTH))
        passes(house, 1)
        confirms_now(house)
        while len(house.facts(OrderApproved)) < approved:
            house.until_moment(house.line.at + timedelta(milliseconds=50))
    assert len(house.facts(OrderCreated)) == 2, "the stop still stands in the way of both"
    house.loses_the_journal_after([r.sequence for r in house.journal.records() if type(r.fact) is OrderApproved][-1])
    house.restarted()
    passes(house, 30)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert house.facts(SubmissionBlocked)[-1].reason == NOT_WRITTEN
    assert plain(row.quantity) == plain(row.covered) == house.held_by_the_broker() == "0.402"


@pytest.mark.parametrize("naked", [False, True])
def test_kill_whose_cancels_were_lost_is_carried_out(naked: bool) -> None:
    """OP-07, EX-20: the kill reached the disk, and the cancels recorded behind it did not"""
    house = House(minutes("09:55", "10:59", "99.70"), ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("0.5", limit="99.70", stop="99.30"))
    confirms_now(house)
    passes(house, 60)
    house.presses(a_typed_buy("3", limit="99.00", stop="98.30"))
    confirms_now(house)
    passes(house, 5)
    house.presses(Kill("key", naked=naked))
    house.loses_the_journal_after([r.sequence for r in house.journal.records() if type(r.fact) is Killed][-1])
    house.restarted()
    passes(house, 60)

    working = [plain(order.remaining) for order in house.exchange._book.all_working()]
    assert working == ([] if naked else ["0.5"])
    assert house.held() == "0.5"


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_trade_whose_last_fill_was_written_is_told_once(kept: int) -> None:
    """EX-18, EX-20: its stop sold all; so many records behind the fill reach the disk"""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "11:30", "99.2")).until("10:11:30")
    (trade,) = [fact.trade for fact in house.facts(TradeClosed)]
    fills = [r.sequence for r in house.journal.records() if type(r.fact) is OrderFilled]
    house.loses_the_journal_after(fills[-1] + kept)
    house.restarted()
    passes(house, 90)
    house.restarted()
    passes(house, 90)

    assert [fact.trade for fact in house.facts(TradeClosed)] == [trade]
    day = house.desk.results.state.days[house.desk.calendar.trading_day(house.line.at)].closed[trade.strategy]
    assert (day.trades, day.realised) == (1, trade.profit)
    _, realised = history_of(house.journal.records())
    assert realised == trade.profit
    assert_can_be_rebuilt(house)
