"""One order through the whole house: proposed, confirmed, sent, filled, protected, closed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import ProposeClose
from core.model.codes import CancelCode, ProposalEnd
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus
from core.model.signal import ExitReason
from core.model.values import Quantity, plain
from core.risk.standard_gate import standard_gate
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import (
    FALL,
    RECOVERY,
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
)
from tests.scenarios.requests import CANCEL, buy, requested, sell
from tests.unit.core.brokers.trading_floor import SPY, at


@pytest.mark.usefixtures("a_tick_each_way")
def test_every_step_of_an_order_is_recorded() -> None:
    """OP-01, OP-02, OP-06, EX-01, EX-03, EX-18, ST-02"""
    house = House(a_day(("10:06", "10:08", STEADY), ("10:09", "10:12", FALL))).opens()

    house.confirms_at("10:06:02")
    house.until("10:15")

    story = house.told()
    assert story[story.index("ProposalStaged") :] == [
        "ProposalStaged",
        "TicketOpened",
        "ConfirmationReceived",
        "OrderApproved",
        "ProposalEnded",
        "ApprovalRedeemed",
        "OrderCreated",
        "OrderSent",
        "OrderStateChanged",  # SUBMITTED
        "OrderFilled",
        "OrderStateChanged",  # FILLED
        "PositionChanged",
        "ApprovalRedeemed",  # the stop, under the ticket's authorization
        "OrderCreated",
        "OrderSent",
        "OrderStateChanged",
        "OrderFilled",  # through the stop
        "OrderStateChanged",
        "PositionChanged",
        "TradeClosed",
    ]
    trade = house.last(facts.TradeClosed).trade
    assert (trade.exit_reason, plain(trade.quantity)) == (ExitReason.STOP_LOSS, "0.502")
    assert (plain(trade.entry_price), plain(trade.exit_price)) == ("99.6", "99.29")
    assert trade.profit == Decimal("0.502") * (Decimal("99.29") - Decimal("99.60"))
    assert trade.slippage == Decimal("0.502") * Decimal("0.01")
    assert house.held() == house.held_by_the_broker() == "0"


def test_nothing_reaches_the_broker_without_a_key() -> None:
    """OP-01"""
    house = a_house_with_a_proposal()

    house.opens_ticket()
    house.until("10:20")

    assert requested(house) == []
    assert house.last(facts.ProposalEnded).end is ProposalEnd.EXPIRED


def test_the_ticket_shows_what_is_sent_and_its_cost() -> None:
    """OP-03"""
    house = a_house_with_a_proposal()

    house.opens_ticket()
    house.until("10:06:01")

    ticket = house.ticket
    figures = ticket.figures
    assert figures.cost == Decimal("0.502") * Decimal("99.60")
    assert figures.worst_loss == Decimal("0.502") * Decimal("0.30")
    assert figures.share_of_equity == figures.cost / 200
    assert figures.buying_power_after == 200 - figures.cost
    assert ticket.review.passes
    silent = {"allocation", "message rate", "lists", "self-cross", "twin", "repeated execution"}
    silent |= {"order size", "price collar", "day value", "broker limits", "margin deficits", "concentration"}
    assert [v.check for v in ticket.review.verdicts] == [c.name for c in standard_gate().checks if c.name not in silent]


@pytest.mark.usefixtures("a_tick_each_way")
def test_the_approval_records_its_figures() -> None:
    """OP-03"""
    house = a_house_in_a_position()

    approved = house.last(facts.OrderApproved)

    assert (approved.equity, approved.buying_power) == (Decimal(200), Decimal(200))
    assert (plain(approved.bid), plain(approved.ask)) == ("99.59", "99.61")


def test_the_stop_is_sent_without_a_second_key() -> None:
    """OP-06"""
    house = a_house_in_a_position()

    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502")]
    (stop,) = house.stops
    assert (stop.status, plain(stop.request.stop_price)) == (OrderStatus.SUBMITTED, "99.3")
    assert stop.parent == house.entry.id


def test_an_unfilled_entry_is_cancelled_after_90_seconds() -> None:
    """EX-07, ST-03"""
    away = "99.70 99.70 99.65 99.70"
    house = a_house_with_a_proposal(("10:06", "10:30", away))
    house.confirms_at("10:06:02")

    house.until("10:07:29")
    working = house.entry.status
    house.until("10:07:31")

    assert working is OrderStatus.SUBMITTED
    assert house.entry.status is OrderStatus.CANCELLED
    assert house.entry.cancel_code is CancelCode.OUTLIVED
    assert requested(house) == [buy("limit", "0.502"), CANCEL]
    assert house.held() == "0"


@pytest.mark.usefixtures("a_bar_at_once")
def test_each_partial_fill_gets_its_stop_at_once() -> None:
    """OP-06, EX-13"""
    house = a_house_with_a_proposal(participation=Decimal("0.000002"))

    house.confirms_at("10:06:02")
    house.until("10:06:50")
    first = (house.held(), [plain(s.request.quantity) for s in house.stops])
    house.until("10:07:29")

    assert house.entry.status is OrderStatus.PARTIALLY_FILLED
    assert first == ("0.2", ["0.2"])
    assert house.held() == "0.4"
    assert [plain(s.request.quantity) for s in house.stops] == ["0.2", "0.2"]
    assert house.desk.ledger.exits.covered(house.entry.request.symbol, "vwap") == Decimal("0.4")


@pytest.mark.usefixtures("a_bar_at_once")
def test_the_rest_of_a_partial_fill_is_cancelled() -> None:
    """EX-07, OP-06"""
    house = a_house_with_a_proposal(participation=Decimal("0.000002"))
    house.confirms_at("10:06:02")

    house.until("10:10")

    assert house.entry.status is OrderStatus.CANCELLED
    assert house.held() == house.held_by_the_broker() == "0.4"
    assert [s.status for s in house.stops] == [OrderStatus.SUBMITTED] * 2


def test_a_waiting_proposal_blocks_a_second_signal() -> None:
    """ST-03"""
    house = a_house_with_a_proposal()

    house.until("10:07:20")

    assert len(house.facts(facts.ProposalStaged)) == 1
    assert house.desk.orchestrator.no_trade()["PROPOSAL_WAITING"] == 1


def test_a_fill_uses_up_the_days_entry() -> None:
    """ST-02, ST-03"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", FALL))

    house.until("10:30")

    assert house.held() == "0"
    assert len(house.facts(facts.ProposalStaged)) == 1
    assert house.desk.orchestrator.no_trade()["MAX_TRADES_REACHED"] > 5


BACK = (("10:06", "10:09", STEADY), ("10:10", "10:40", RECOVERY))


def test_an_exit_cancels_the_stop_before_it_sells() -> None:
    """EX-21, EX-13, ST-02"""
    house = a_house_in_a_position(*BACK)

    house.confirms_at("10:11:02")
    house.until("10:12")

    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502"), CANCEL, sell("market", "0.502")]
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.MEAN_REVERSION
    assert house.held() == house.held_by_the_broker() == "0"
    assert house.stops[0].status is OrderStatus.CANCELLED


def test_the_sale_waits_for_the_cancelled_stop() -> None:
    """EX-21"""
    house = a_house_in_a_position(*BACK)
    house.confirms_at("10:11:02")

    changes = [(c.client_order_id, c.after) for c in house.until("10:12").facts(facts.OrderStateChanged)]
    gone = changes.index((house.stops[0].id, OrderStatus.CANCELLED))
    sold = changes.index((house.sale.id, OrderStatus.SUBMITTED))

    assert gone < sold


def test_a_refused_sale_puts_the_stop_back() -> None:
    """EX-21"""
    house = a_house_in_a_position(*BACK)
    house.confirms_at("10:11:02")
    house.line.refuses_the_next_order("asset is halted")

    house.until("10:12")

    assert house.sale.status is OrderStatus.REJECTED
    assert "asset is halted" in house.sale.reason
    assert [s.status for s in house.stops] == [OrderStatus.CANCELLED, OrderStatus.SUBMITTED]
    assert plain(house.stops[1].request.stop_price) == "99.3"
    assert house.desk.ledger.exits.covered(house.entry.request.symbol, "vwap") == Decimal("0.502")


def test_a_stop_filled_during_its_cancel_sells_once() -> None:
    """EX-21, EX-05"""
    crash = "100.20 100.20 99.00 99.00"
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:10", RECOVERY), ("10:11", "10:20", crash))
    house.confirms_at("10:11:19.950")

    house.until("10:15")

    assert house.held() == house.held_by_the_broker() == "0"
    assert sum(f.fill.quantity for f in house.facts(facts.OrderFilled)) == Decimal("1.004")
    assert sell("market", "0.502") not in requested(house)


def test_an_exit_is_withdrawn_with_its_condition() -> None:
    """OP-06"""
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:10", RECOVERY), ("10:11", "10:20", "99.60"))

    house.until("10:11")
    waits = house.proposal.exit_reason
    house.until("10:12")

    assert waits is ExitReason.MEAN_REVERSION
    assert house.last(facts.ProposalEnded).end is ProposalEnd.WITHDRAWN
    assert house.stops[0].status is OrderStatus.SUBMITTED


def test_force_flat_comes_five_minutes_before_the_close() -> None:
    """ST-02"""
    house = a_house_in_a_position(("10:06", "15:59", STEADY))

    house.until("15:56:00")

    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT
    assert house.proposal.signal_time == at("15:55")


def test_the_stop_expires_with_its_day() -> None:
    """EX-01, OP-06"""
    house = a_house_in_a_position(("10:06", "15:59", STEADY))

    house.until("16:30")

    assert house.stops[0].status is OrderStatus.EXPIRED
    assert house.held() == house.held_by_the_broker() == "0.502"


@pytest.mark.usefixtures("a_whole_morning")
def test_a_signal_outside_the_window_proposes_nothing() -> None:
    """RK-07, ST-02"""
    early = House(a_day(("09:56", "10:02", "100"), dip_at="09:55")).opens()

    early.until("10:02")

    assert early.facts(facts.ProposalStaged) == []
    assert early.facts(facts.ProposalSkipped) == []
    assert early.desk.orchestrator.no_trade()["OUTSIDE_WINDOW"] > 0


def test_no_more_than_is_held_can_be_closed(snapshot: SnapshotAssertion) -> None:
    """EX-21, OP-04"""
    house = a_house_in_a_position()

    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal("0.6")), strategy="vwap"))
    refused = house.last(facts.ProposalSkipped).reasons
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal("0.12")), strategy="vwap"))

    assert refused == snapshot
    assert (house.proposal.order.quantity, house.proposal.order.effect) == (Decimal("0.12"), OrderEffect.REDUCE)


def test_a_close_leaves_other_strategies_alone(snapshot: SnapshotAssertion) -> None:
    """EX-08, EX-21"""
    house = a_house_in_a_position()

    house.presses(ProposeClose(SPY, strategy="manual"))

    assert house.last(facts.ProposalSkipped).reasons == snapshot
    assert house.desk.stage.proposals() == ()


@pytest.mark.usefixtures("a_tick_each_way")
@pytest.mark.parametrize("limit", ["102", "100.01"])
def test_a_limit_beyond_the_quote_is_no_gain(limit: str) -> None:
    """AN-01: bought at the ask of 100.01, as aimed at, and sold a cent below the last price"""
    house = House(minutes("09:55", "10:30")).opens().until("10:05")
    house.presses(a_typed_buy("0.4", limit=limit, stop="98.5"))
    confirms_now(house)
    passes(house, 5)
    bought = [fact.fill.price for fact in house.facts(facts.OrderFilled)]
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)

    assert bought == [Decimal("100.01")]
    (trade,) = [fact.trade for fact in house.facts(facts.TradeClosed)]
    assert trade.slippage == Decimal("0.4") * Decimal("0.01")


@pytest.mark.usefixtures("a_tick_each_way")
@pytest.mark.parametrize("limit", ["98", "99.99"])
def test_a_sale_below_the_quote_is_no_gain(limit: str) -> None:
    """AN-01: sold at the bid, as aimed at, after the stop that reserves its shares is cancelled"""
    house = House(minutes("09:55", "10:30")).opens().until("10:05")
    house.presses(a_typed_buy("0.4", limit="102", stop="98.5"))
    confirms_now(house)
    passes(house, 5)
    house.presses(replace(a_typed_buy("0.4", limit=limit, stop=None), effect=OrderEffect.CLOSE))
    confirms_now(house)
    passes(house, 5)

    (trade,) = [fact.trade for fact in house.facts(facts.TradeClosed)]
    assert trade.slippage == 0
