"""The desk's requests to an exchange that does each thing wrong: what the desk is told, and what is on the book."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.account import Account
from core.model.broker import Accepted, BrokerBooks, CancelTaken, NoAnswer, NotFound, OrderReport
from core.model.order import Leg, LegRole, OrderClass, OrderStatus
from core.model.values import BrokerOrderId, ClientOrderId, Price
from tests.kit.timeline import timeline
from tests.wire.desk_side import Waits, a_desk_broker, an_order
from tests.wire.exchange.server import LoopbackExchange

ENTRY = ClientOrderId("0123456789abcdef")
DONE_AND_HIDDEN = ["504-after-accepting", "hang-after-accepting"]
NEVER_DONE = ["drop", "server-error"]
"""What else an answer can be is in `unit/core/brokers/test_alpaca_orders.py`."""


def posts(exchange: LoopbackExchange) -> int:
    return len(exchange.received("POST", "/v2/orders"))


# ── submitting ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", DONE_AND_HIDDEN)
def test_an_unanswered_order_is_found_and_sent_once(exchange: LoopbackExchange, fault: str) -> None:
    """EX-06, EX-05"""
    exchange.make(fault, of="submit")
    broker = a_desk_broker(exchange)

    answer = broker.submit(an_order(ENTRY))
    found = broker.look_up(ENTRY)

    assert isinstance(answer, NoAnswer)
    assert isinstance(found, OrderReport)
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, 1)
    assert [execution.quantity for execution in found.executions] == [1]
    assert posts(exchange) == 1


@pytest.mark.parametrize("fault", NEVER_DONE)
def test_an_order_that_never_arrived_is_not_found(exchange: LoopbackExchange, fault: str) -> None:
    """EX-06: a 5xx is not repeated, and not believed to be a no."""
    exchange.make(fault, of="submit", seconds=1)
    broker = a_desk_broker(exchange)

    answer = broker.submit(an_order(ENTRY))

    assert isinstance(answer, NoAnswer)
    assert broker.look_up(ENTRY) == NotFound()
    assert (posts(exchange), exchange.orders()) == (1, [])


@pytest.mark.parametrize("fault", ["sent-twice", "duplicate-after-accepting", "error-after-accepting"])
def test_a_refusal_after_accepting_is_a_doubt(
    exchange: LoopbackExchange, fault: str, snapshot: SnapshotAssertion
) -> None:
    """EX-06: a proxy sent it twice, or the answer is another's: it is looked up, and never sent again"""
    exchange.make(fault, of="submit")
    broker = a_desk_broker(exchange)

    answer = broker.submit(an_order(ENTRY))

    assert isinstance(answer, NoAnswer)
    assert answer.reason == snapshot
    assert (posts(exchange), len(exchange.orders())) == (1, 1)


def test_a_refusal_without_a_look_up_is_a_doubt(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("insufficient", of="submit")
    exchange.make("server-error", of="order", times=9)

    assert isinstance(a_desk_broker(exchange, Waits()).submit(an_order(ENTRY)), NoAnswer)


@pytest.mark.parametrize(("fault", "named", "hides"), [("legs-left-out", 1, False), ("legs-hidden", 0, True)])
def test_missing_legs_are_asked_for_by_order_id(
    exchange: LoopbackExchange, fault: str, named: int, hides: bool
) -> None:
    """EX-06, EX-13: hidden is not missing"""
    stop = (Leg(LegRole.STOP, stop_price=Price(Decimal(300))),)
    broker = a_desk_broker(exchange)
    broker.submit(an_order(ENTRY, order_class=OrderClass.OTO, legs=stop))
    exchange.make(fault)

    found = broker.look_up(ENTRY, with_legs=True)

    assert isinstance(found, OrderReport)
    assert (len(found.legs), found.hides_legs) == (named, hides)
    assert len(exchange.received("GET", "/v2/orders/")) == 1


def test_an_order_without_legs_is_reported_so(exchange: LoopbackExchange) -> None:
    """EX-13, OP-06: its class was ignored"""
    broker = a_desk_broker(exchange)
    broker.submit(an_order(ENTRY))

    found = broker.look_up(ENTRY, with_legs=True)

    assert isinstance(found, OrderReport)
    assert (found.legs, found.hides_legs) == ((), False)
    assert len(exchange.received("GET", "/v2/orders/")) == 1


# ── cancels and replacements ─────────────────────────────────────────────────────────────────────────────────────────


def a_working_order(exchange: LoopbackExchange) -> BrokerOrderId:
    answer = a_desk_broker(exchange).submit(an_order(ENTRY, "400"))
    assert isinstance(answer, Accepted)
    return answer.report.broker_order_id


@pytest.mark.parametrize("fault", [*NEVER_DONE, *DONE_AND_HIDDEN])
def test_a_cancel_is_repeated_after_a_fault(exchange: LoopbackExchange, fault: str) -> None:
    """OP-07, EX-15"""
    order_id = a_working_order(exchange)
    waits = Waits()
    exchange.make(fault, of="cancel", seconds=1)

    answer = a_desk_broker(exchange, waits).cancel(ENTRY, order_id)

    is_told_by_the_order = fault in DONE_AND_HIDDEN
    assert isinstance(answer, Accepted if is_told_by_the_order else CancelTaken)
    assert len(waits.taken) == 1
    assert [order.raw_status for order in exchange.orders()] == ["canceled"]


def test_a_pending_cancel_does_not_end_the_order(exchange: LoopbackExchange) -> None:
    """EX-07"""
    order_id = a_working_order(exchange)
    exchange.make("cancel-pending")
    broker = a_desk_broker(exchange)

    answer, report = broker.cancel(ENTRY, order_id), broker.look_up(ENTRY)
    exchange.end("cancel-pending")
    later = broker.look_up(ENTRY)

    assert answer == CancelTaken()
    assert isinstance(report, OrderReport)
    assert (report.status, report.raw_status) == (OrderStatus.SUBMITTED, "pending_cancel")
    assert isinstance(later, OrderReport)
    assert later.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("fault", DONE_AND_HIDDEN)
def test_an_unanswered_replace_is_sent_once(exchange: LoopbackExchange, fault: str) -> None:
    """EX-06"""
    order_id = a_working_order(exchange)
    change = replace(an_order("fedcba9876543210", "401"), replaces=ENTRY)
    exchange.make(fault, of="replace")
    broker = a_desk_broker(exchange)

    answer = broker.replace(change, order_id)
    found, old = broker.look_up(change.client_order_id), broker.look_up(ENTRY)

    assert isinstance(answer, NoAnswer)
    assert isinstance(found, OrderReport)
    assert isinstance(old, OrderReport)
    assert (found.limit_price, old.raw_status) == (401, "replaced")
    assert len(exchange.received("PATCH", "/v2/orders")) == 1


def test_a_replace_with_an_error_is_found_done(exchange: LoopbackExchange) -> None:
    """EX-06"""
    order_id = a_working_order(exchange)
    change = replace(an_order("fedcba9876543210", "401"), replaces=ENTRY)
    exchange.make("error-after-accepting", of="replace")

    answer = a_desk_broker(exchange).replace(change, order_id)

    assert isinstance(answer, Accepted)
    assert (answer.report.client_order_id, answer.report.limit_price) == ("fedcba9876543210", 401)
    assert len(exchange.received("PATCH", "/v2/orders")) == 1


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_short_outage_is_survived(exchange: LoopbackExchange) -> None:
    """EX-15, EX-06: the question waits, the order does not."""
    broker = a_desk_broker(exchange)
    broker.account()
    exchange.make("gone", seconds=0.6)

    order, account = broker.submit(an_order(ENTRY)), broker.account()

    assert isinstance(order, NoAnswer)
    assert isinstance(account, Account)
    assert (posts(exchange), exchange.orders()) == (0, [])


def test_the_picture_equals_the_exchanges_book(exchange: LoopbackExchange) -> None:
    """EX-09, EX-13: with the stop that waits for its entry, and the one that guards a position."""
    broker = a_desk_broker(exchange)
    stop = (Leg(LegRole.STOP, stop_price=Price(Decimal(300))),)
    broker.submit(an_order("1" * 16, order_class=OrderClass.OTO, legs=stop))
    broker.submit(an_order("2" * 16, "400", order_class=OrderClass.OTO, legs=stop))

    picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert [(p.symbol, p.quantity) for p in picture.positions] == [("SPY", 1)]
    found = {order.broker_order_id: order for order in picture.orders}
    found |= {leg.broker_order_id: leg for order in picture.orders for leg in order.legs}
    assert sorted(order.raw_status for order in found.values()) == ["filled", "held", "new", "new"]
    assert len(found) == len(exchange.orders()) == 4
    assert broker.unread.count == 0


def test_leaving_ends_the_wait_for_an_answer(exchange: LoopbackExchange) -> None:
    """OP-07"""
    exchange.make("rate-limited-retry-after", of="account", times=9, seconds=5)
    broker = a_desk_broker(exchange)
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(broker.account()))
    asking.start()
    timeline().until(lambda: exchange.received("GET", "/v2/account"))
    begun = timeline().monotonic()

    broker.close()
    asking.join()

    assert timeline().monotonic() - begun < 1
    assert isinstance(answers[0], NoAnswer)
