"""What our books cannot know of themselves: closed elsewhere, arrived after all, refused just before a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.facts import OrderStateChanged, PositionCorrected, ProposalEnded, SubmissionBlocked
from core.messages.commands import Confirm, ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, FetchBooks, LookUpOrder, SubmitOrder
from core.messages.inputs import BooksFetched, BrokerUpdated, LookUpAnswered
from core.model.broker import BrokerBooks, OrderUpdate, UpdateEvent
from core.model.codes import ProposalEnd
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side
from core.model.values import ClientOrderId, Quantity
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.strategies import StrategiesSettings, VwapSettings
from core.settings.types import AmountSettings
from core.workflows.reconciliation import NOTHING_HELD
from core.workflows.staging.proposal_intake import left_to_close
from state.codec import decode
from tests.scenarios.elsewhere import others_order
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal
from tests.scenarios.requests import CANCEL, buy, requested, sell
from tests.unit.core.brokers.trading_floor import SPY

ON_MARGIN = {"multiplier": Decimal(2)}
WHOLE = Settings(
    risk=RiskSettings(max_notional=AmountSettings(usd=Decimal(600), of_equity=None)),
    strategies=StrategiesSettings(vwap=VwapSettings(quantity_step=Decimal(1))),
)
"""Whole shares: no fraction can be sold short."""
AWAY = (("10:06", "10:30", "99.70"),)
"""The price stays above the entry's limit: it works and does not fill."""


def view_of(house: House) -> BrokerBooks:
    found = house.line.ask(FetchBooks())
    assert isinstance(found, BooksFetched)
    assert isinstance(found.answer, BrokerBooks)
    return found.answer


def compares(house: House) -> None:
    """The broker's books arrive as they are."""
    house.line.take(house.line.at, BooksFetched(view_of(house)))


def closes_elsewhere(house: House) -> None:
    """At the broker's own page: the stop is cancelled, the position sold, and the stream says nothing of it."""
    house.line.is_deaf = True
    exchange, at = house.exchange, house.line.at
    for order in house.desk.ledger.working():
        exchange.cancel(at, order.id)
    held = {p.symbol: p.quantity for p in exchange.books(at).positions}[SPY]
    exchange.submit(at, OrderRequest(ClientOrderId("elsewhere"), SPY, Side.SELL, Effect.CLOSE, held, OrderType.MARKET))
    house.line._pass_updates_on()
    house.until_moment(at)
    assert house.held_by_the_broker() == "0"


def test_a_lost_order_found_working_is_cancelled() -> None:
    """EX-06, EX-09: the stream was gone when it arrived, so only the broker's books tell of it."""
    house = a_house_with_a_proposal(*AWAY)
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:08:30")
    assert house.entry.reason == "never arrived"
    house.line.is_deaf = True
    house.exchange.submit(house.line.at, house.entry.request)
    house.line._pass_updates_on()

    compares(house)
    house.until("10:08:40")

    assert requested(house)[-1] == CANCEL
    assert [report.raw_status for report in house.exchange.orders(house.line.at)] == ["canceled"]


def hears_that_it_works(house: House, stop: Order) -> None:
    """The answer to a look-up."""
    report = next(r for r in house.exchange.orders(house.line.at) if r.client_order_id == stop.id)
    told = replace(report, status=OrderStatus.SUBMITTED, raw_status="new")
    house.line.take(house.line.at, LookUpAnswered(stop.id, told))


def the_stop_is_taken_back(house: House) -> Order:
    (stop,) = house.stops
    house.presses(RequestCancel(stop.id))
    house.until("10:06:40")
    assert stop.status is OrderStatus.CANCELLED
    return stop


def test_a_late_report_behind_an_end_cancels_nothing() -> None:
    """EX-06, EX-09: read before its end and told behind it, it is asked once more: nobody asked for a second cancel"""
    house = a_house_in_a_position()
    stop = the_stop_is_taken_back(house)
    before = requested(house)

    for moment in ("10:06:50", "10:07"):  # each time the answer says that it has ended
        hears_that_it_works(house, stop)
        house.until(moment)

    assert requested(house) == before
    assert stop.status is OrderStatus.CANCELLED


def test_two_late_updates_behind_an_end_cancel_nothing() -> None:
    """EX-06, EX-09: the order stream tells twice that it is new, behind its end"""
    house = a_house_in_a_position()
    stop = the_stop_is_taken_back(house)
    before = requested(house)
    report = next(r for r in house.exchange.orders(house.line.at) if r.client_order_id == stop.id)
    told = replace(report, status=OrderStatus.SUBMITTED, raw_status="new")

    for _ in range(2):
        house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.NEW, house.line.at, told)))
    house.until("10:06:50")

    assert requested(house) == before


def test_an_order_confirmed_working_again_is_cancelled() -> None:
    """EX-06: twice, and the second time asked after that end"""
    house = a_house_in_a_position()
    stop = the_stop_is_taken_back(house)
    before = requested(house)
    house.line.breaks_at(LookUpOrder, arrives=False)

    hears_that_it_works(house, stop)
    hears_that_it_works(house, stop)
    house.until("10:06:50")

    assert requested(house)[len(before) :] == [CANCEL]


def confirms_a_close(house: House) -> None:
    """At 10:06:33, with a line that needs a tenth of a second each way."""
    house.presses(ProposeClose(SPY))
    house.until("10:06:32")
    house.opens_ticket()
    house.until("10:06:33")
    house.confirms()


def test_a_close_of_a_position_gone_elsewhere_is_not_sold() -> None:
    """EX-09, EX-21: its stop's end and the empty position are learnt from the same books."""
    house = a_house_in_a_position(**ON_MARGIN)
    house.line.breaks_at(CancelOrder, arrives=False)
    confirms_a_close(house)
    house.until("10:06:34")
    closes_elsewhere(house)

    compares(house)
    house.until("10:08")

    assert (house.sale.status, house.sale.reason) == (OrderStatus.CANCELLED, NOTHING_HELD)
    assert requested(house).count(sell("market", "0.502")) == 1  # by another program
    assert house.held() == house.held_by_the_broker() == "0"
    assert not any(house.desk.ledger.working())


@pytest.mark.parametrize("theirs", [Decimal(0), Decimal(-2)], ids=["flat", "short"])
def test_a_waiting_close_that_would_open_is_withdrawn(theirs: Decimal, snapshot: SnapshotAssertion) -> None:
    """OP-01, EX-09: closed or sold short elsewhere, its sale would sell what nobody holds, or more of the short."""
    house = a_house_in_a_position(**ON_MARGIN)
    house.presses(ProposeClose(SPY))
    house.until("10:06:32")
    house.opens_ticket()
    house.until("10:06:33")
    ticket, sent = house.ticket, len(requested(house))
    assert ticket.order.side is Side.SELL
    picture = view_of(house)
    held = tuple(replace(position, quantity=Quantity(theirs)) for position in picture.positions if theirs)
    house.accepts(replace(picture, positions=held))

    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    house.until("10:06:40")

    assert house.last(ProposalEnded).end is ProposalEnd.WITHDRAWN
    assert house.last(ProposalEnded).reason == snapshot
    assert not house.desk.stage.proposals()
    assert left_to_close(house.desk, SPY, "vwap", Side.SELL) == 0
    assert "market" not in {request.type for request in requested(house)[sent:]}


def test_a_stop_for_no_shares_is_cancelled() -> None:
    """EX-09, EX-13: left at the broker it would open a short"""
    house = a_house_in_a_position(**ON_MARGIN)
    picture = view_of(house)
    picture = replace(picture, positions=(), orders=(*picture.orders, others_order(Side.SELL, "0.502")))

    house.line.take(house.line.at, BooksFetched(picture))
    house.until("10:07")

    assert house.last(PositionCorrected).quantity == 0
    assert requested(house)[-1] == CANCEL
    assert not any(house.desk.ledger.working())


def test_a_stop_for_a_corrected_fill_never_leaves() -> None:
    """EX-09, OP-06"""
    house = a_house_with_a_proposal(("10:06", "10:30", STEADY), **ON_MARGIN)
    house.line.is_deaf = True
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=True, times=5)
    house.confirms_at("10:06:02")
    house.until("10:06:04")
    house.exchange.take_updates()
    picture = view_of(house)
    picture = replace(picture, positions=(), orders=(*picture.orders, others_order(Side.SELL, "0.502")))

    house.line.take(house.line.at, BooksFetched(picture))
    house.until("10:06:09")

    (stop,) = house.stops
    assert (stop.status, stop.reason) == (OrderStatus.CANCELLED, NOTHING_HELD)
    assert house.facts(SubmissionBlocked)
    assert requested(house) == [buy("limit", "0.502")]


def test_a_sale_of_shares_closed_elsewhere_is_refused() -> None:
    """EX-11, EX-21: it was on its way, and says that it closes: the exchange opens no short with it"""
    house = a_house_with_a_proposal(settings=WHOLE, cash=Decimal(5000), **ON_MARGIN)
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    confirms_a_close(house)
    house.until_moment(house.line.at + timedelta(seconds=0.15))
    house.slows_down(5)
    house.until("10:06:34")
    closes_elsewhere(house)

    compares(house)
    house.line.is_deaf = False
    house.until("10:07")

    assert house.sale.status is OrderStatus.REJECTED
    assert house.held() == house.held_by_the_broker() == "0"
    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.REJECTED]


def test_a_crash_after_a_refused_sale_restores_the_stop() -> None:
    """EX-20, EX-21: the refusal is on the disk, what follows from it is not"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY))
    house.until("10:06:32")
    house.opens_ticket()
    house.until("10:06:33")
    house.line.refuses_the_next_order("trade denied")
    house.confirms()
    house.until("10:06:40")
    sale = house.sale
    assert sale.status is OrderStatus.REJECTED
    forgets_after_the_end_of(house, sale)

    house.restarted().until("10:07")

    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert house.stops[-1].status is OrderStatus.SUBMITTED


def forgets_after_the_end_of(house: House, order: Order) -> None:
    """The disk has the order's last state and nothing that was written after it; nor has the exchange heard of that."""
    lines = house.journal.lines
    ends = [
        number
        for number, fact in enumerate(decode(line).fact for line in lines)
        if isinstance(fact, OrderStateChanged) and fact.client_order_id == order.id
    ]
    written_after = {o.id for o in house.stops[1:]}
    for order_id in written_after:
        house.exchange.cancel(house.line.at, order_id)
    house.exchange.take_updates()
    house.exchange._book._orders = {k: v for k, v in house.exchange._book._orders.items() if k not in written_after}
    kept = lines[: ends[-1] + 1]
    house.journal.__init__()  # type: ignore[misc]
    for line in kept:
        recorded = decode(line)
        house.journal.append(recorded.at, recorded.fact)


def test_a_cancelled_stop_is_not_restored_by_a_start() -> None:
    """EX-21: nothing was sold and nothing was refused; the operator took it away"""
    house = a_house_in_a_position()
    house.presses(RequestCancel(house.stops[0].id))
    house.until("10:06:40")

    house.restarted().until("10:07")

    assert house.desk.ledger.exits.covered(SPY, "vwap") == 0
