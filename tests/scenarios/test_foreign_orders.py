"""Orders and fills that are not of this desk, in the books and in the stream (EX-05, EX-09)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import FillNotBelieved, OtherTakenBack, ProposalSkipped, ReconciliationPassed
from core.messages.commands import Kill, ProposeClose
from core.messages.effects import Effect
from core.messages.inputs import BooksFetched, BrokerUpdated, Input
from core.model.broker import BrokerBooks, Execution, OrderUpdate, UnreadableOrder, UpdateEvent
from core.model.order import OrderType, Side
from core.model.reconciliation import DifferenceKind
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Price, Quantity, Symbol
from core.runtime.virtual import VirtualRuntime
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import CANCEL, requested
from tests.scenarios.test_reconciliation import a_quiet_house, kinds
from tests.unit.core.brokers.trading_floor import SPY, an_order


def test_foreign_order_is_reported_once() -> None:
    """EX-09, EX-04"""
    house = a_quiet_house()
    house.exchange.submit(house.line.at, an_order("typed-in-the-app", Side.BUY, "0.1", limit="90.00"))

    house.until("10:09:30")

    assert kinds(house) == ["unknown_order"]
    assert len(house.facts(ReconciliationPassed)) == 2
    assert house.sent() == [("submit", "buy", "limit", "0.1")]


def a_house_whose_shares_somebody_holds() -> House:
    """It is 10:12:30: the broker's books told of a position and of its stop, and neither is this desk's."""
    house = a_quiet_house()
    house.exchange.submit(house.line.at, an_order("bought-in-the-app", Side.BUY, "0.5"))
    house.until("10:08:30")
    house.exchange.submit(house.line.at, an_order("typed-in-the-app", Side.SELL, "0.5", stop="90.00"))
    house.until("10:12:30")
    assert house.held() == "0.5"
    return house


def unnamed(words: str) -> str:
    return re.sub(r"order [0-9a-f]{8}", "order ID", words)


def test_exit_warns_of_a_foreign_order(snapshot: SnapshotAssertion) -> None:
    """EX-09, EX-11: it may be sent all the same, and the foreign order is left alone"""
    house = a_house_whose_shares_somebody_holds()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:12:31")

    (warning,) = [v.reason for v in house.ticket.review.warnings if "somebody else's" in v.reason]

    assert unnamed(warning) == snapshot
    assert house.ticket.review.passes


def test_rejected_exit_names_the_foreign_order(snapshot: SnapshotAssertion) -> None:
    """EX-09, EX-06"""
    house = a_house_whose_shares_somebody_holds()
    house.line.refuses_the_next_order("insufficient qty available for order")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:13:30")

    refused = [o.reason for o in house.desk.ledger.state.orders.values() if "insufficient qty" in o.reason]

    assert unnamed(refused[0]) == snapshot


def test_position_names_the_foreign_order(snapshot: SnapshotAssertion) -> None:
    """EX-09, EX-13"""
    house = a_house_whose_shares_somebody_holds()
    pictures = ViewBuilder(house.line.engine)
    before = pictures.draw(house.line.at).positions[0].held_by_others
    (foreign,) = house.desk.sightings.others

    house.exchange.cancel(house.line.at, foreign.client_order_id)
    house.until("10:15:30")

    assert unnamed(before) == snapshot
    assert house.desk.sightings.others == ()
    assert pictures.draw(house.line.at).positions[0].held_by_others == ""


def test_a_leg_of_an_old_bracket_may_have_a_stop(snapshot: SnapshotAssertion) -> None:
    """EX-09, EX-13: whose cancel would end that stop as well"""
    house = a_house_whose_shares_somebody_holds()
    (foreign,) = house.desk.sightings.others
    house.desk.sightings.others = (replace(foreign, type=OrderType.LIMIT, hides_legs=True),)

    row = ViewBuilder(house.line.engine).draw(house.line.at).positions[0]

    assert unnamed(row.held_by_others) == snapshot


def by_hand(symbol: str | None, order_id: str = "by-hand") -> UnreadableOrder:
    named = None if symbol is None else Symbol(symbol)
    return UnreadableOrder("order 61e69015: qty is missing", BrokerOrderId("61e69015"), ClientOrderId(order_id), named)


def with_unreadable(house: House, *orders: UnreadableOrder) -> None:
    """From the next comparison on these work at the broker beside what can be read."""
    ask = VirtualRuntime.ask

    def asked(effect: Effect) -> Input:
        reply = ask(house.line, effect)
        if isinstance(reply, BooksFetched) and isinstance(reply.answer, BrokerBooks):
            return BooksFetched(replace(reply.answer, unreadable=orders))
        return reply

    house.line.ask = asked  # type: ignore[method-assign]


def test_unreadable_order_bars_entries_in_its_symbol(snapshot: SnapshotAssertion) -> None:
    """EX-09: the desk trades on, says which order it is, and opens again when it is over"""
    for symbol in ("SPY", None):
        house = a_quiet_house()
        with_unreadable(house, by_hand(symbol))
        house.until("10:09:30")
        house.presses(a_typed_buy())

        (skipped,) = house.facts(ProposalSkipped)
        read_only = house.desk.control.state.read_only_at
        with_unreadable(house)
        house.until("10:10:30")
        house.presses(a_typed_buy())

        assert skipped.reasons == snapshot(name=symbol or "unknown symbol")
        assert read_only is None
        assert house.last(ReconciliationPassed).differences == ()
        assert house.proposal.order.symbol == SPY


def test_unreadable_order_bars_no_other_symbol() -> None:
    """EX-09"""
    house = a_quiet_house()
    with_unreadable(house, by_hand("IBM"))
    house.until("10:09:30")
    house.presses(a_typed_buy())

    assert kinds(house) == ["unreadable_order"]
    assert house.proposal.order.symbol == SPY


def test_exits_go_on_beside_an_unreadable_order() -> None:
    """EX-09, EX-21, OP-07"""
    house = a_house_in_a_position()
    with_unreadable(house, by_hand(None))
    house.until_moment(house.line.at + timedelta(minutes=2))
    assert kinds(house) == ["unreadable_order"]

    house.presses(Kill("key"))
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until_moment(house.line.at + timedelta(seconds=10))

    assert house.desk.control.killed_by == "key"
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def unread(side: Side | None, left: str | None, kind: OrderType | None = OrderType.STOP) -> UnreadableOrder:
    quantity = None if left is None else Quantity(Decimal(left))
    return replace(by_hand("SPY"), side=side, type=kind, left=quantity)


FATES = (
    (unread(Side.SELL, "0.502"), "stays"),
    (replace(unread(None, None), closes=True), "stays"),
    (unread(Side.SELL, "5"), "goes"),
    (unread(Side.BUY, "1"), "goes"),
    (unread(Side.BUY, None, OrderType.LIMIT), "goes"),
    (unread(Side.SELL, None), "is named"),
    (unread(Side.SELL, "0.502", None), "is named"),
    (unread(None, "1"), "is named"),
    (by_hand(None), "is named"),
)


def test_kill_cancels_or_names_unreadable_orders() -> None:
    """OP-07: 0.502 shares are held; a stop that is lost is worse than a name that is read."""
    for order, fate, naked in [(*each, False) for each in FATES] + [(*each, True) for each in FATES[::3]]:
        house = a_house_in_a_position()
        with_unreadable(house, order)
        house.until_moment(house.line.at + timedelta(minutes=1))

        house.presses(Kill("key", naked))
        passes(house, 5)

        taken = [fact.broker_order_id for fact in house.facts(OtherTakenBack)]
        view = ViewBuilder(house.engine).draw(house.line.at)
        goes = fate == "goes" or (naked and fate == "is named")
        assert taken == (["61e69015"] if goes else []), (order, naked)
        assert [row.id for row in view.kill.others] == (["61e69015"] if fate == "goes" else []), (order, naked)
        assert [row.id for row in view.kill.unread] == (["61e69015"] if fate == "is named" else []), (order, naked)


def test_kill_keeps_the_stop_of_unknown_shares() -> None:
    """OP-07, EX-09: somebody bought and guarded them elsewhere; the same books show both."""
    house = a_quiet_house()
    house.presses(Kill("key"))
    passes(house, 5)
    house.exchange.submit(house.line.at, an_order("elsewhere", Side.BUY, "1"))
    passes(house, 1)
    house.line.is_deaf = True
    house.exchange.submit(house.line.at, an_order("their-stop", Side.SELL, "1", stop="98"))

    house.until("10:08:30")

    assert (house.held(), house.held_by_the_broker()) == ("1", "1")
    assert house.facts(OtherTakenBack) == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_own_unreadable_order_is_one_row(is_restarted: bool) -> None:
    """EX-09, SY-03: our stop stays as our books have it, it is named and told, and nothing opens in its symbol"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY), settings=settings())
    if is_restarted:
        house.restarted()
    with_receivers(house, Receivers())
    (stop,) = house.stops
    with_unreadable(
        house, by_hand("SPY", stop.id), replace(by_hand(None, "another"), broker_order_id=BrokerOrderId("2"))
    )
    house.until("10:12")

    state = house.desk.control.state
    ours, _other = state.differences
    assert (state.is_reconciled, ours.kind, ours.local) == (True, DifferenceKind.UNREADABLE_ORDER, "SELL 0.502 stop")
    assert (house.stops, stop.is_working, house.held(), CANCEL in requested(house)) == ([stop], True, "0.502", False)
    assert "position SPY" in house.desk.notifications.state.matters
    assert [one.client_order_id for one in house.desk.sightings.all_others] == ["another"]
    house.presses(a_typed_buy())
    assert len(house.facts(ProposalSkipped)) == 1

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 10)
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def moves_the_stop_elsewhere(house: House) -> None:
    """At the broker's own page, a dollar further away."""
    stop = next(order for order in house.desk.ledger.working() if order.is_protective)
    assert stop.request.stop_price is not None
    moved = replace(
        stop.request,
        client_order_id=ClientOrderId("elsewhere"),
        stop_price=Price(stop.request.stop_price - 1),
        replaces=stop.id,
    )
    house.exchange.replace(house.line.at, moved)
    house.line._pass_updates_on()


def test_a_stop_replaced_elsewhere_is_seen_at_once(snapshot: SnapshotAssertion) -> None:
    """EX-09, OP-06: at once, and not with the next comparison, most of a minute later."""
    house = a_house_in_a_position()
    began = house.line.at
    moves_the_stop_elsewhere(house)
    house.until_moment(began + timedelta(seconds=1))

    view = ViewBuilder(house.engine).draw(house.line.at)

    (row,) = view.others
    assert (row.state, row.may_open) == ("new", False)
    assert (row.words, view.positions[0].held_by_others) == snapshot
    house.until_moment(began + timedelta(seconds=4))
    assert [found.broker for found in house.desk.control.state.differences] == ["SELL 0.502 stop"]


def test_an_order_ended_elsewhere_is_gone_at_once() -> None:
    """EX-09"""
    house = a_house_in_a_position()
    moves_the_stop_elsewhere(house)
    began = house.line.at
    house.until_moment(began + timedelta(seconds=1))
    house.exchange.cancel(house.line.at, ClientOrderId("elsewhere"))
    house.line._pass_updates_on()
    house.until_moment(began + timedelta(seconds=2))

    assert (house.desk.sightings.others, house.desk.sightings.all_others) == ((), ())


def test_a_fill_without_room_is_recorded_and_checked(snapshot: SnapshotAssertion) -> None:
    """EX-05: it is not counted; were it true, the comparison would find the shares."""
    house = a_house_in_a_position()
    entry, held = house.entry, house.held()
    began, asked = house.line.at, requested(house)
    report = house.exchange.order(began, entry.id)
    more = Execution(ExecutionId("too-much"), began, Quantity(Decimal(5)), Price(Decimal("99.50")))
    update = OrderUpdate(UpdateEvent.FILL, began, report, more)  # type: ignore[arg-type]

    house.line.take(began, BrokerUpdated(update))
    house.until_moment(began + timedelta(seconds=4))

    (told,) = house.facts(FillNotBelieved)
    assert told.client_order_id == entry.id
    assert told.reason == snapshot
    assert (house.held(), requested(house)) == (held, asked)
