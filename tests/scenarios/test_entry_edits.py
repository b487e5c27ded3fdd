"""A working entry takes another quantity or price: an entry like any other, whose money and fills count once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import CancelRequested, ContingentOrdersMissing, Halted, ProposalEnded, ProposalSkipped
from core.messages.commands import EditOrder, EditProposal, Halt, Kill, ProposeOrder, RequestCancel
from core.messages.effects import Effect, ReplaceOrder
from core.messages.inputs import BrokerUpdated, Input, SubmissionAnswered
from core.model.account import Account
from core.model.broker import Accepted, Execution, OrderReport, OrderUpdate, UpdateEvent
from core.model.codes import CancelCode
from core.model.order import Effect as OrderEffect
from core.model.order import LegRole, OrderStatus, OrderType
from core.model.staging import StopPlan
from core.model.values import ExecutionId, Price, Quantity
from core.risk.checks.funds import given_back, reserved_for_unseen
from tests.scenarios.changes import (
    ABOVE,
    AWAY,
    ROOMY,
    WORKING,
    a_house_in_a_thin_market,
    a_house_with_a_working_entry,
    confirms_now,
    edits,
    passes,
    the_new,
)
from tests.scenarios.house import House, a_day, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, a_bar


def test_edit_changes_quantity_and_limit() -> None:
    """EX-12, OP-06"""
    house = a_house_with_a_working_entry()

    edits(house, "2", "99.70")
    confirms_now(house)
    passes(house, 70)

    assert house.sent()[:2] == [("submit", "buy", "limit", "1"), ("replace", "buy", "limit", "2")]
    assert (house.entry.status, house.entry.filled_quantity) == (OrderStatus.CANCELLED, 0)
    assert house.held() == house.held_by_the_broker() == "2"
    old, stop = house.stops
    assert (old.status, old.request.quantity) == (OrderStatus.CANCELLED, 1)
    assert (stop.status, stop.request.quantity, stop.request.stop_price) == (WORKING, 2, Decimal("99.30"))


def test_stop_leg_is_not_edited_with_its_entry(snapshot: SnapshotAssertion) -> None:
    """EX-12: Alpaca replaces an order, and takes no other legs for it"""
    house = a_house_with_a_working_entry()

    edits(house, "2", "99.70", "99.20")

    assert house.desk.stage.proposals() == ()
    assert house.last(ProposalSkipped).reasons == snapshot


def test_omitted_terms_stay() -> None:
    """EX-12: no limit and no stop typed means the ones that it has"""
    house = a_house_with_a_working_entry()

    edits(house, "2")

    (waiting,) = house.desk.stage.proposals()
    assert (waiting.order.quantity, waiting.order.limit_price) == (2, Decimal("99.60"))
    assert waiting.order.effect is OrderEffect.OPEN
    assert isinstance(waiting.stop, StopPlan)
    assert waiting.stop.price == Decimal("99.30")


def test_refused_edits_of_a_working_entry(snapshot: SnapshotAssertion) -> None:
    """RK-01, EX-11: an edit is an entry, and every check may refuse it"""
    house = a_house_with_a_working_entry()
    before, refused = len(house.facts(ProposalSkipped)), {}
    for quantity, limit in (
        *((quantity, "99.60") for quantity in ("1", "0", "1.5", "100")),
        *(("1", limit) for limit in ("99.605", "99.20")),
    ):
        edits(house, quantity, limit)
        refused[f"{quantity} at {limit}"] = house.last(ProposalSkipped).reasons

    assert len(house.facts(ProposalSkipped)) - before == len(refused)
    assert house.last(ProposalSkipped).checks == ("stop",)
    assert refused == snapshot


def test_stop_is_not_edited_as_an_entry(snapshot: SnapshotAssertion) -> None:
    """OP-01"""
    house = a_house_in_a_position()

    house.presses(EditOrder(house.stops[0].id, Quantity(Decimal(1)), None, Price(Decimal("99.50"))))

    assert house.last(ProposalSkipped).reasons == snapshot


def test_money_of_a_replaced_buy_counts_once() -> None:
    """OP-03: of 200 USD the old order holds 100 and the new one costs 199"""
    house = a_house_with_a_working_entry("1")

    edits(house, "2", "99.50")
    (waiting,) = house.desk.stage.proposals()
    confirms_now(house)
    shown = house.ticket.figures.buying_power_after
    passes(house, 0.15)

    account = house.desk.sightings.account
    assert shown == Decimal("1.00")
    assert isinstance(account, Account)
    assert account.buying_power == Decimal("100.40")
    assert given_back(waiting.order, house.desk.ledger, account) == Decimal("99.60")
    assert reserved_for_unseen(house.desk.ledger, account) == Decimal("99.40")
    passes(house, 5)
    assert the_new(house).status is WORKING


def test_money_of_a_replaced_short_counts_once() -> None:
    """OP-03, EX-12: of 2,000 USD the working short holds 1,498.50; the edited one costs 1,398.88"""
    house = House(a_day(("10:06", "10:30", ABOVE)), ROOMY, cash=Decimal(1000), multiplier=Decimal(2))
    house.opens().until("10:08:00")
    house.presses(_a_short("15", "99.90", "100.20"))
    confirms_now(house)
    passes(house, 80)
    assert house.entry.status is WORKING

    edits(house, "14", "99.92")
    confirms_now(house)
    shown = house.ticket.figures.buying_power_after
    passes(house, 5)

    assert shown == Decimal(2000) - 14 * Decimal("99.92")
    assert house.entry.made_way
    assert the_new(house).status is WORKING


def test_short_sale_in_flight_reserves_its_money() -> None:
    """OP-03"""
    house = House(a_day(("10:06", "10:30", ABOVE)), ROOMY, cash=Decimal(1000), multiplier=Decimal(2))
    house.opens().until("10:08:00")
    house.presses(_a_short("15", "99.90", "100.20"))

    confirms_now(house, arrives_after=2)
    account = house.desk.sightings.account

    assert house.entry.status is OrderStatus.PENDING
    assert isinstance(account, Account)
    assert reserved_for_unseen(house.desk.ledger, account) == 15 * Decimal("99.90")


def _a_short(quantity: str, limit: str, stop: str) -> ProposeOrder:
    return replace(a_typed_buy(quantity, limit, stop), effect=OrderEffect.SHORT)


def test_edit_counts_as_one_entry() -> None:
    """EX-08, RK-03"""
    house = a_house_with_a_proposal(AWAY, settings=ROOMY, cash=Decimal(10_000))
    house.confirms_at("10:06:02")
    house.until("10:06:05")

    edits(house, "20", "99.70")
    confirms_now(house)
    passes(house, 5)

    assert house.held() == "20"
    assert house.desk.ledger.entries_filled("vwap", house.calendar.trading_day(house.line.at)) == 1
    assert the_new(house).expires_at == house.entry.expires_at


def test_kill_during_a_replacement_ends_both() -> None:
    """OP-07"""
    house = a_house_with_a_working_entry()
    edits(house, "2")
    confirms_now(house)
    passes(house, 0.12)

    house.presses(Halt("key"))
    house.presses(Kill("key"))
    passes(house, 5)

    assert {house.entry.status, the_new(house).status} == {OrderStatus.CANCELLED}
    assert not any(r.status is WORKING for r in house.exchange.orders(house.line.at))


def test_cancelling_the_new_entry_ends_the_old() -> None:
    """EX-07: whichever of the two the broker has, it is taken back"""
    house = a_house_with_a_working_entry()
    edits(house, "2")
    house.line.breaks_at(ReplaceOrder, arrives=False)
    confirms_now(house)
    passes(house, 0.5)

    house.presses(RequestCancel(the_new(house).id))
    passes(house, 70)

    assert {house.entry.status, the_new(house).status} == {OrderStatus.CANCELLED}


def test_halt_before_the_figures_sends_nothing() -> None:
    """OP-07"""
    house = a_house_with_a_working_entry()
    edits(house, "2")
    confirms_now(house)

    house.presses(Halt("key"))
    passes(house, 5)

    assert [r for r in house.sent() if r[0] == "replace"] == []
    assert house.entry.status is WORKING


def test_gateway_stops_a_replacement_while_halted() -> None:
    """OP-08"""
    house = a_house_with_a_working_entry()
    edits(house, "2")

    def shut_before_it_leaves(effect: Effect) -> Effect:
        if isinstance(effect, ReplaceOrder):
            house.line.latch.press("key")
        return effect

    house.line.tamper = shut_before_it_leaves
    confirms_now(house)
    passes(house, 5)

    assert the_new(house).status is OrderStatus.CANCELLED
    assert (house.entry.status, house.entry.is_being_replaced) == (WORKING, False)
    assert [r for r in house.sent() if r[0] == "replace"] == []


@pytest.mark.usefixtures("a_bar_at_once")
def test_further_fill_withdraws_a_staged_edit() -> None:
    """EX-05"""
    house = a_house_in_a_thin_market()
    house.until("10:09:05")
    assert house.entry.filled_quantity == 0

    edits(house, "12", "99.55")
    house.until("10:10:30")

    assert house.entry.filled_quantity == 10
    assert "filled further" in house.last(ProposalEnded).reason


@pytest.mark.usefixtures("a_bar_at_once")
def test_edited_quantity_includes_what_is_filled() -> None:
    """EX-12, EX-05"""
    house = a_house_in_a_thin_market()
    house.until("10:10:30")

    edits(house, "14", "99.70")
    confirms_now(house)
    house.until("10:14")

    assert (house.entry.request.effect, the_new(house).request.effect) == (OrderEffect.OPEN, OrderEffect.ADD)
    assert [house.entry.filled_quantity, the_new(house).filled_quantity] == [10, 4]
    assert house.held() == house.held_by_the_broker() == "14"
    assert house.desk.ledger.exits.covered(SPY, "manual") == 14


@pytest.mark.parametrize(("clock", "filled"), [("10:09:05", 0), ("10:10:30", 10)], ids=["unfilled", "in part"])
@pytest.mark.usefixtures("a_bar_at_once")
def test_bracket_is_not_edited(clock: str, filled: int, snapshot: SnapshotAssertion) -> None:
    """EX-13: its ticket named a target for all of it, and the new one may come without legs, or with legs for a part"""
    house = a_house_in_a_thin_market("101")
    house.until(clock)
    assert house.entry.filled_quantity == filled

    edits(house, "14", "99.70")

    assert house.desk.stage.proposals() == ()
    assert house.last(ProposalSkipped).reasons == snapshot
    house.until("10:14")
    working = [(o.role, o.remaining) for o in house.desk.ledger.working()]
    assert working == [(None, 5), (LegRole.STOP, 15), (LegRole.TARGET, 15)]


@pytest.mark.usefixtures("a_bar_at_once")
def test_edit_without_legs_keeps_every_share_covered() -> None:
    """EX-13, OP-06: the stop of the first part, and one for each fill behind it"""
    house = a_house_in_a_thin_market()
    house.until("10:10:30")
    ask = house.line.ask

    def without_legs(effect: Effect) -> Input:
        reply = ask(effect)
        if isinstance(effect, ReplaceOrder):
            book = house.exchange._book
            booked = book.find(effect.order.client_order_id)
            assert booked is not None
            for leg in booked.legs:
                name = leg.request.client_order_id
                del book._orders[name], book._listed[name], book._told[name], book._changed[name]
            booked.legs.clear()
            assert isinstance(reply, SubmissionAnswered)
            return replace(reply, answer=Accepted(booked.whole_report()))
        return reply

    house.line.ask = without_legs  # type: ignore[method-assign]
    edits(house, "14", "99.70")
    confirms_now(house)
    house.until("10:14")

    assert (house.held(), len(house.facts(ContingentOrdersMissing))) == ("14", 1)
    assert [(o.request.type, o.remaining) for o in house.desk.ledger.working()] == [
        (OrderType.STOP, 10),
        (OrderType.STOP, 4),
    ]


@pytest.mark.usefixtures("a_bar_at_once")
def test_fill_during_a_replacement_cancels_the_new() -> None:
    """EX-05, EX-08: the new one was for what was left before, and nobody signed for more"""
    house = a_house_in_a_thin_market()
    house.until("10:09:57")
    edits(house, "15", "99.59")
    confirms_now(house, arrives_after=40)

    house.until("10:14")

    assert (house.entry.filled_quantity, the_new(house).filled_quantity) == (10, 0)
    assert the_new(house).status is OrderStatus.CANCELLED
    assert house.last(CancelRequested).code is CancelCode.FILLED_FURTHER
    assert house.held() == house.held_by_the_broker() == "10"
    assert house.desk.ledger.exits.covered(SPY, "manual") == 10


@pytest.mark.usefixtures("a_bar_at_once")
def test_partly_filled_and_edited_is_one_entry() -> None:
    """EX-08, RK-03"""
    house = a_house_in_a_thin_market()
    house.until("10:10:30")
    day = house.calendar.trading_day(house.line.at)

    edits(house, "14", "99.70")
    confirms_now(house)
    house.until("10:14")

    assert the_new(house).filled_quantity == 4
    assert house.desk.ledger.entries_filled("manual", day) == 1


def test_late_fill_of_the_old_is_still_one_entry() -> None:
    """EX-08, RK-03: three shares of the old order come to light when the new one has filled already"""
    house = a_house_in_a_thin_market()
    house.until("10:09:30")
    day = house.calendar.trading_day(house.line.at)
    old = house.entry
    edits(house, "15", "99.70")
    confirms_now(house)
    house.until("10:10:50")
    before = house.desk.ledger.entries_filled("manual", day)
    assert the_new(house).filled_quantity > 0
    assert old.filled_quantity == 0

    at = house.line.at
    execution = Execution(ExecutionId("late"), at, Quantity(Decimal(3)), Price(Decimal("99.60")))
    report = house.exchange.order(at, old.id)
    assert isinstance(report, OrderReport)
    filled = replace(report, filled_quantity=execution.quantity, average_price=execution.price, executions=(execution,))
    house.line.take(at, BrokerUpdated(OrderUpdate(UpdateEvent.PARTIAL_FILL, at, filled, execution)))

    assert old.filled_quantity == 3
    assert before == house.desk.ledger.entries_filled("manual", day) == 1


@pytest.mark.usefixtures("a_bar_at_once")
def test_old_and_new_order_each_have_a_stop() -> None:
    """EX-04, OP-06: a part of the first was filled, then all of the second"""
    thin = a_bar("10:06", "99.60", volume=50)
    house = House([*a_day(), thin, *minutes("10:07", "10:20", "99.60")], settings=ROOMY, cash=Decimal(10_000))
    house.opens()
    house.confirms_at("10:06:02")
    house.until("10:06:05")

    edits(house, "12")
    confirms_now(house)
    house.until("10:08")

    assert (house.entry.filled_quantity, the_new(house).filled_quantity) == (5, 7)
    assert {(o.request.quantity, o.role, o.parent) for o in house.stops if o.is_working} == {
        (5, None, house.entry.id),
        (7, LegRole.STOP, the_new(house).id),
    }
    assert house.facts(Halted) == []


def test_staged_edit_can_be_edited() -> None:
    """EX-12, OP-02"""
    house = a_house_with_a_working_entry()
    old = house.entry
    edits(house, "2", "99.50")
    (proposal,) = house.desk.stage.proposals()

    house.presses(EditProposal(proposal.id, Quantity(Decimal(1)), Price(Decimal("99.40"))))
    confirms_now(house)
    passes(house, 2)

    new = the_new(house)
    assert (new.request.quantity, new.request.limit_price) == (Decimal(1), Decimal("99.40"))
    assert (old.status, old.replaced_by) == (OrderStatus.CANCELLED, new.id)
