"""Answers that are lost, late, repeated or wrong: each order and each fill counts once, and nothing is sent again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, FetchBooks, LookUpOrder, SubmitOrder
from core.messages.inputs import (
    BooksFetched,
    BrokerUpdated,
    CancelAnswered,
    ConnectionChanged,
    LookUpAnswered,
    SubmissionAnswered,
    SubmissionStopped,
)
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.broker import Execution, NoAnswer, OrderReport, OrderUpdate, Refused, UnreadableOrder, UpdateEvent
from core.model.codes import EndCode, RefusalKind
from core.model.order import OrderStatus, StopHolder
from core.model.signal import EntrySignal
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Price, Quantity, plain
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from core.workflows.staging.proposal_lifecycle import Proposals
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_house_with_a_proposal, minutes
from tests.scenarios.requests import CANCEL, buy, requested, sell
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

AWAY = ("10:06", "10:30", "99.70 99.70 99.65 99.70")
"""The limit at 99.60 is never touched."""


class TheStreamIsFaster(Link):
    """An answer takes its time, an update does not."""

    def tell(self, update: OrderUpdate) -> Iterable[timedelta]:
        return (self.latency,)


def a_house_with_a_working_entry() -> House:
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:05")
    assert house.entry.status is OrderStatus.SUBMITTED
    return house


def a_report(house: House, **changes: object) -> OrderReport:
    """The broker's account of the entry, with changes."""
    report = house.exchange.order(house.line.at, house.entry.id)
    assert isinstance(report, OrderReport)
    return replace(report, **changes)  # type: ignore[arg-type]


def hears(house: House, report: OrderReport, execution: Execution | None = None) -> None:
    update = OrderUpdate(UpdateEvent.FILL, house.line.at, report, execution)
    house.line.take(house.line.at, BrokerUpdated(update))


def an_execution(name: str, quantity: str, price: str = "99.60") -> Execution:
    return Execution(ExecutionId(name), at("10:06:05"), Quantity(Decimal(quantity)), Price(Decimal(price)))


def test_a_lost_answer_is_resolved_by_a_look_up() -> None:
    """EX-06, EX-20"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True

    house.confirms_at("10:06:02")
    house.until("10:06:10")

    assert [d.reason for d in house.facts(facts.OrderStateUnknown)] == ["the connection broke"]
    assert house.entry.status is OrderStatus.SUBMITTED
    assert house.entry.in_doubt_since is None
    assert house.last(facts.OrderStateChanged).source is facts.Source.LOOK_UP
    assert requested(house) == [buy("limit", "0.502")]


def test_no_answer_is_doubt_after_eight_seconds(snapshot: SnapshotAssertion) -> None:
    """EX-06"""
    house = a_house_with_a_proposal(AWAY)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:02.150")
    house.line.link = replace(house.line.link, answer_delay=timedelta(hours=1))

    house.until("10:06:10.050")
    before = house.facts(facts.OrderStateUnknown)
    house.until("10:06:10.150")

    assert before == []
    assert house.facts(facts.OrderStateUnknown) == snapshot
    assert requested(house) == [buy("limit", "0.502")]


def test_five_not_founds_in_a_minute_end_a_lost_order() -> None:
    """EX-06"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)

    house.confirms_at("10:06:02")
    house.until("10:07:03")
    in_between = house.entry.status
    house.until("10:08:30")

    assert in_between is OrderStatus.PENDING
    assert len(house.facts(facts.OrderNotFound)) >= 5
    assert (house.entry.status, house.entry.end_code) == (OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED)
    assert house.entry.ended_at is not None
    assert house.entry.ended_at - house.entry.first_not_found_at >= timedelta(seconds=60)  # type: ignore[operator]
    assert requested(house) == []


def a_house_of_a_lost_request(*, arrives: bool) -> House:
    """It is 10:06:10; the broker's books cannot be had, and every look-up says that there is no such order."""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=arrives)
    house.line.breaks_at(FetchBooks, arrives=False, times=1000)
    house.line.is_deaf = house.line.finds_nothing = True
    house.confirms_at("10:06:02")
    return house.until("10:06:10")


def test_without_the_books_not_found_ends_nothing() -> None:
    """EX-06: it may stand among the open or the closed ones."""
    house = a_house_of_a_lost_request(arrives=False)

    house.until("10:12")
    in_doubt = house.entry.status, len(house.facts(facts.OrderNotFound)) >= 5
    house.line.mends()
    house.until("10:12:20")

    assert in_doubt == (OrderStatus.PENDING, True)
    assert (house.entry.status, house.entry.end_code) == (OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED)


def test_an_order_seen_only_in_the_books_is_adopted() -> None:
    """EX-06, EX-20"""
    house = a_house_of_a_lost_request(arrives=True)
    house.until("10:09")
    in_doubt = house.entry.status, len(house.facts(facts.OrderNotFound)) >= 5

    house.line.mends()
    house.until("10:09:30")

    assert in_doubt == (OrderStatus.PENDING, True)
    assert [c.after for c in house.facts(facts.OrderStateChanged)] == [OrderStatus.SUBMITTED, OrderStatus.CANCELLED]
    assert requested(house) == [buy("limit", "0.502"), CANCEL]  # its time to live was over long ago
    assert house.entry.end_code is not EndCode.NEVER_ARRIVED


def test_an_unnamed_order_in_the_books_ends_nothing() -> None:
    """EX-06: what cannot be read may be this very order."""
    house = a_house_of_a_lost_request(arrives=False)
    house.until("10:09")
    picture = house.exchange.books(house.line.at)
    nobodys = UnreadableOrder("an order: qty is missing", BrokerOrderId("b-1"), None, SPY)

    house.line.take(house.line.at, BooksFetched(replace(picture, unreadable=(nobodys,))))
    with_it = house.entry.status
    house.line.take(house.line.at, BooksFetched(replace(picture, unreadable=())))

    assert (with_it, house.entry.status) == (OrderStatus.PENDING, OrderStatus.CANCELLED)


def test_a_failed_look_up_is_no_not_found() -> None:
    """EX-06"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.line.breaks_at(LookUpOrder, arrives=False, times=100)

    house.confirms_at("10:06:02")
    house.until("10:10")

    assert house.facts(facts.OrderNotFound) == []
    assert house.entry.status is OrderStatus.PENDING
    assert house.entry.in_doubt_since is not None


def test_look_ups_start_over_when_the_broker_is_back() -> None:
    """EX-06: what grew while nobody could answer keeps nothing in doubt that an answer would end."""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.line.breaks_at(LookUpOrder, arrives=False, times=8)
    house.confirms_at("10:06:02")
    house.until("10:08:20")
    house.line.take(
        house.line.at, ConnectionChanged(ConnectionStatus(Channel.BROKER, ConnectionState.DOWN, house.line.at))
    )
    assert house.facts(facts.OrderNotFound) == []
    house.line.mends()

    back = house.line.at
    house.line.take(back, ConnectionChanged(ConnectionStatus(Channel.BROKER, ConnectionState.UP, back)))
    house.until_moment(back + timedelta(seconds=64))

    assert house.entry.first_not_found_at is not None
    assert house.entry.first_not_found_at - back < timedelta(seconds=1)
    assert (house.entry.status, house.entry.end_code) == (OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED)


def test_a_late_error_is_looked_up_at_once() -> None:
    """EX-06: its request was on the way for all that time, and the broker may have taken it"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:08:30")
    assert house.entry.end_code is EndCode.NEVER_ARRIVED

    house.line.is_deaf = True
    house.exchange.submit(house.line.at, house.entry.request)
    house.line.take(house.line.at, SubmissionAnswered(house.entry.id, NoAnswer("504 Gateway Timeout")))
    house.until("10:08:32")

    assert requested(house) == [buy("limit", "0.502"), CANCEL]


def test_a_lost_order_that_appears_is_cancelled() -> None:
    """EX-06, EX-02: it was ended as never arrived; a working order that nobody wants any more is cancelled."""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:08:30")

    house.exchange.submit(house.line.at, house.entry.request)
    house.line._pass_updates_on()
    house.until("10:08:40")

    assert requested(house) == [buy("limit", "0.502"), CANCEL]
    assert house.entry.status is OrderStatus.CANCELLED
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_lost_order_that_fills_is_counted() -> None:
    """EX-06, EX-02"""
    house = a_house_with_a_proposal(("10:06", "10:07", "99.70"), ("10:08", "10:30", "99.60"))
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:08:30")

    house.exchange.submit(house.line.at, house.entry.request)
    house.line._pass_updates_on()
    house.until("10:08:40")

    assert house.entry.late_fill
    assert house.held() == house.held_by_the_broker() == "0.502"
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")


@pytest.mark.parametrize("days", [4, 11], ids=["listed yet", "listed no more"])
def test_a_fill_while_the_desk_was_off_is_taken_in(days: int) -> None:
    """EX-06, EX-09: by then the broker's list may end before it, and its shares would be nobody's, with no stop"""
    later = THURSDAY + timedelta(days=days)
    bars = [*a_day(("10:06", "10:07", "99.70"), ("10:08", "10:30", "99.60"))]
    house = House([*bars, *minutes("09:30", "09:50", "99.60", day=later)]).opens().until("10:06")
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:08:30")
    assert house.entry.end_code is EndCode.NEVER_ARRIVED
    house.exchange.submit(house.line.at, house.entry.request)

    house.line.at = at("09:31", later)
    house.restarted()
    house.line.breaks_at(LookUpOrder, arrives=False)
    house.until("09:33", later)

    assert house.held_by_the_broker() == "0.502"
    assert [(f.fill.client_order_id, f.is_late) for f in house.facts(facts.OrderFilled)] == [(house.entry.id, True)]
    assert house.facts(facts.PositionCorrected) == []
    assert house.desk.control.state.is_reconciled
    (exit_,) = house.desk.stage.proposals()
    assert (exit_.is_exit, exit_.strategy, plain(exit_.order.quantity)) == (True, "vwap", "0.502"), "it is held over"


def test_a_refusal_is_never_doubt(snapshot: SnapshotAssertion) -> None:
    """EX-06"""
    house = a_house_with_a_proposal()
    house.line.refuses_the_next_order("insufficient buying power")

    house.confirms_at("10:06:02")
    house.until("10:06:20")

    assert house.entry.status is OrderStatus.REJECTED
    assert house.last(facts.OrderStateChanged).refusal is RefusalKind.FORBIDDEN
    assert house.entry.reason == snapshot
    assert house.facts(facts.OrderStateUnknown) == []


def test_a_duplicate_id_means_that_the_order_is_there() -> None:
    """EX-06"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:02.350")

    again = SubmitOrder(house.entry.request, house.last(facts.ApprovalRedeemed).approval)
    house.line.take(house.line.at, house.line.ask(again))
    assert house.last(facts.OrderStateUnknown).client_order_id == house.entry.id
    house.until("10:06:05")

    assert house.entry.status is OrderStatus.SUBMITTED


def test_a_bad_request_is_a_refusal() -> None:
    """EX-06, EX-21: Alpaca says 40010001 of whatever it cannot read; the stop is back at once."""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:31")
    house.line._refused.append(
        Refused(RefusalKind.UNPROCESSABLE, "qty must be a whole number for this asset", "40010001")
    )
    house.confirms()
    house.until("10:06:33")

    assert house.sale.status is OrderStatus.REJECTED
    assert house.facts(facts.OrderStateUnknown) == []
    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.SUBMITTED]


def test_a_different_order_with_our_id_is_not_adopted(snapshot: SnapshotAssertion) -> None:
    """EX-04"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.line.breaks_at(LookUpOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:06:03")
    house.exchange.submit(house.line.at, replace(house.entry.request, quantity=Quantity(Decimal(1))))
    stranger = house.exchange.order(house.line.at, house.entry.id)
    assert isinstance(stranger, OrderReport)
    earlier = replace(stranger, accepted_at=house.entry.created_at - timedelta(minutes=1))

    house.line.take(house.line.at, LookUpAnswered(house.entry.id, earlier))

    assert house.entry.status is OrderStatus.REJECTED
    assert (house.entry.reason, house.last(facts.UpdateIgnored).reason) == snapshot
    assert house.held() == "0"


def the_same_signal(house: House) -> EntrySignal:
    return EntrySignal(
        strategy="vwap",
        symbol=SPY,
        bar_start=at("10:05"),
        limit_price=Price(Decimal("99.60")),
        stop_price=Price(Decimal("99.30")),
        stop_holder=StopHolder.BROKER,
        quantity=Quantity(Decimal("0.502")),
        reference=Price(Decimal(100)),
        reason="again",
    )


def test_a_signal_has_one_order_also_after_a_restart(snapshot: SnapshotAssertion) -> None:
    """EX-04"""
    house = a_house_with_a_working_entry()
    house.until("10:07")
    house.restarted().until("10:07:15")

    house.engine.the(Proposals).stage_entry(the_same_signal(house))

    assert house.desk.stage.proposals() == ()
    assert house.last(facts.ProposalSkipped).reasons == snapshot
    assert [r for r in requested(house) if "buy" in r] == [buy("limit", "0.502")]


def test_the_name_of_an_order_is_the_hash_of_its_signal() -> None:
    """EX-04"""
    house = a_house_with_a_proposal()

    name = sha256(b"vwap:SPY:1min:2026-11-19T15:05:00Z:buy").hexdigest()
    assert house.proposal.order.client_order_id == name[:16]


def test_a_cancel_without_an_answer_is_repeated(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-07: what failed is logged as an error."""
    house = a_house_with_a_working_entry()
    house.line.breaks_at(CancelOrder, arrives=False)
    pictures = ViewBuilder(house.engine)

    house.presses(RequestCancel(house.entry.id))
    house.until("10:06:06")
    after_the_failure = house.entry.status
    house.until("10:06:10")

    assert after_the_failure is OrderStatus.SUBMITTED
    assert house.last(facts.CancelFailed).refusal is None
    assert len(house.facts(facts.CancelRequested)) == 2
    assert house.entry.status is OrderStatus.CANCELLED
    (error,) = (row for row in pictures.draw(house.line.at).log if row.severity)
    assert (error.kind, error.severity) == ("order", "ERROR")
    assert (house.last(facts.CancelFailed).reason, error.text) == snapshot


def test_a_failing_cancel_is_repeated_less_often() -> None:
    """EX-15: 2, 4, 8, and at most 16 s; the log of an outage stays readable."""
    house = a_house_with_a_working_entry()
    house.line.breaks_at(CancelOrder, arrives=False, times=20)
    house.line.breaks_at(LookUpOrder, arrives=False, times=20)

    house.presses(RequestCancel(house.entry.id))
    house.until("10:08:00")

    asked = [r.at for r in house.journal.records() if isinstance(r.fact, facts.CancelRequested)]
    assert [int((later - earlier).total_seconds()) for earlier, later in pairwise(asked)][:5] == [2, 4, 8, 16, 16]


def test_an_unanswered_cancel_is_seen_in_the_stream() -> None:
    """EX-06"""
    house = a_house_with_a_working_entry()
    house.line.breaks_at(CancelOrder, arrives=True)

    house.presses(RequestCancel(house.entry.id))
    house.until("10:06:10")

    assert house.entry.status is OrderStatus.CANCELLED
    assert requested(house).count(CANCEL) == 1


def test_a_cancel_of_a_filled_order_changes_nothing() -> None:
    """EX-07"""
    house = a_house_in_a_position()

    house.presses(RequestCancel(house.entry.id))
    house.until("10:06:40")

    assert house.entry.status is OrderStatus.FILLED
    assert CANCEL not in requested(house)


def test_a_cancel_waits_for_the_orders_answer() -> None:
    """EX-07, OP-07"""
    house = a_house_with_a_proposal(AWAY)
    house.line.link = replace(house.line.link, answer_delay=timedelta(seconds=3))
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:03")

    house.presses(RequestCancel(house.entry.id))
    house.until("10:06:04")
    asked_early = requested(house)
    house.until("10:06:15")

    assert asked_early == [buy("limit", "0.502")]
    assert house.entry.status is OrderStatus.CANCELLED


def test_a_stop_of_an_ended_authorization_stays() -> None:
    """OP-02, OP-06"""
    house = a_house_with_a_working_entry()
    (use,) = house.desk.stage.state.authorizations.values()
    use.authorization = replace(use.authorization, ends_at=at("10:06:04"))
    House.built.remove(house)  # the authorization was shortened behind the journal's back

    hears(house, a_report(house, filled_quantity=Quantity(Decimal("0.1"))), an_execution("x-1", "0.1"))

    assert "ended at" in house.last(facts.SubmissionBlocked).reason
    assert house.stops == []


def test_a_crash_before_the_post_sends_nothing_twice() -> None:
    """EX-06, EX-20"""
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    house.until("10:06:02.150")  # the intent is written, the request still on the line
    assert requested(house) == []

    house.restarted().until("10:08:30")

    assert requested(house) == []
    assert (house.entry.status, house.entry.end_code) == (OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED)


def test_a_crash_after_the_post_finds_the_order() -> None:
    """EX-06, EX-20"""
    house = a_house_with_a_proposal(AWAY)
    house.line.link = replace(house.line.link, answer_delay=timedelta(seconds=3))
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:03")
    assert house.entry.status is OrderStatus.PENDING

    house.restarted().until("10:06:10")

    assert house.entry.status is OrderStatus.SUBMITTED
    assert requested(house) == [buy("limit", "0.502")]
    assert len(house.facts(facts.ReconciliationPassed)) == 2


def test_a_start_repeats_an_unfinished_cancel() -> None:
    """EX-20, EX-07"""
    house = a_house_with_a_working_entry()
    house.presses(RequestCancel(house.entry.id))

    house.restarted().until("10:06:10")

    assert house.entry.status is OrderStatus.CANCELLED
    assert requested(house) == [buy("limit", "0.502"), CANCEL]


def test_a_close_cut_off_goes_on_after_a_restart() -> None:
    """EX-21, EX-20"""
    house = a_house_in_a_position(("10:06", "10:09", "99.60"), ("10:10", "10:40", "99.60 100.20 99.60 100.20"))
    house.confirms_at("10:11:02")
    house.until("10:11:02.150")  # the stop's cancel is on the line

    house.restarted().until("10:11:20")

    assert house.held() == house.held_by_the_broker() == "0"
    assert requested(house)[-2:] == [CANCEL, sell("market", "0.502")]


def test_a_rejection_by_stream_rejects() -> None:
    """EX-01"""
    house = a_house_with_a_working_entry()
    other = a_house_with_a_proposal(AWAY)
    other.line.breaks_at(SubmitOrder, arrives=False)
    other.line.breaks_at(LookUpOrder, arrives=False, times=9)
    other.confirms_at("10:06:02")
    other.until("10:06:03")

    hears(other, a_report(house, status=OrderStatus.REJECTED, raw_status="rejected"))

    assert other.entry.status is OrderStatus.REJECTED
    assert other.desk.stage.state.proposals == {}


def test_an_incomplete_report_is_looked_up() -> None:
    """EX-05"""
    house = a_house_with_a_working_entry()
    look_ups = len([m for m in house.line.heard if isinstance(m, LookUpAnswered)])

    hears(house, a_report(house, status=OrderStatus.FILLED, filled_quantity=house.entry.request.quantity))
    house.until("10:06:06")

    assert house.held() == "0"
    assert len([m for m in house.line.heard if isinstance(m, LookUpAnswered)]) == look_ups + 1


def test_a_close_without_its_cancel_keeps_the_stop() -> None:
    """EX-21"""
    house = a_house_in_a_position(("10:06", "10:09", "99.60"), ("10:10", "10:40", "99.60 100.20 99.60 100.20"))
    house.line.breaks_at(CancelOrder, arrives=False, times=100)

    house.confirms_at("10:11:02")
    house.until("10:13")

    assert sell("market", "0.502") not in requested(house)
    assert house.stops[0].status is OrderStatus.SUBMITTED
    assert house.held() == house.held_by_the_broker() == "0.502"


def test_answers_for_unknown_orders_change_nothing() -> None:
    """EX-02"""
    house = a_house_with_a_working_entry()
    nobody = ClientOrderId("f" * 16)
    told = len(house.told())

    house.line.take(house.line.at, SubmissionAnswered(nobody, Refused(RefusalKind.OTHER, "no", "1")))
    house.line.take(house.line.at, LookUpAnswered(nobody, a_report(house)))
    house.line.take(house.line.at, CancelAnswered(nobody, Refused(RefusalKind.OTHER, "no", "1")))
    house.line.take(house.line.at, SubmissionStopped(nobody, "no"))
    house.presses(RequestCancel(nobody))

    assert len(house.told()) == told


def test_a_late_refusal_changes_nothing() -> None:
    """EX-02, EX-06"""
    house = a_house_with_a_working_entry()

    house.line.take(house.line.at, SubmissionAnswered(house.entry.id, Refused(RefusalKind.OTHER, "no", "1")))
    house.line.take(house.line.at, SubmissionStopped(house.entry.id, "too late"))

    assert house.entry.status is OrderStatus.SUBMITTED
