"""What a broker means by its no stands in the journal as a kind, beside its own words and number (EX-06, SP-07)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words, severity_of
from core.facts import CancelFailed, OrderStateChanged
from core.messages.commands import RequestCancel
from core.messages.effects import CancelOrder
from core.messages.inputs import CancelAnswered
from core.model.broker import NoAnswer, Refused
from core.model.codes import RefusalKind
from core.model.order import OrderStatus
from state.codec import decode, encode
from tests.scenarios.house import House, a_house_with_a_proposal

AWAY = ("10:06", "10:30", "99.70 99.70 99.65 99.70")
"""The entry's limit is not met."""

OLD = (
    '{"seq":9,"at":"2026-11-20T14:31:00Z","fact":"OrderStateChanged","v":2,"data":{"client_order_id":"entry",'
    '"before":"PENDING","after":"REJECTED","source":"answer","broker_order_id":null,'
    '"reason":"insufficient buying power (40310000)","code":"as_its_state_says"},"sum":"%s"}' % ("0" * 32)
).encode()


def a_house_with_an_order() -> House:
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    return house.until("10:06:20")


def the_end(house: House) -> OrderStateChanged:
    return house.last(OrderStateChanged)


def test_a_refusal_keeps_kind_words_and_number(snapshot: SnapshotAssertion) -> None:
    """EX-06, SP-07"""
    house = a_house_with_a_proposal()
    house.line.refuses_the_next_order("insufficient buying power")

    house.confirms_at("10:06:02")
    house.until("10:06:20")

    end = the_end(house)
    assert (end.after, end.refusal) == (OrderStatus.REJECTED, RefusalKind.FORBIDDEN)
    assert end.reason == snapshot
    (record,) = [r for r in house.journal.records() if r.fact == end]
    assert decode(encode(record.sequence, record.at, end, "")[0]).fact == end


def test_a_simulated_refusal_has_no_number() -> None:
    """EX-11, SP-07"""
    house = a_house_with_a_proposal(rejections=Decimal(1))
    house.confirms_at("10:06:02")
    house.until("10:06:20")

    said = "the order was rejected by the venue"
    assert (the_end(house).refusal, the_end(house).reason) == (RefusalKind.OTHER, said)


def test_what_ended_otherwise_names_no_refusal() -> None:
    """SP-07"""
    house = a_house_with_an_order()
    house.presses(RequestCancel(house.entry.id))
    house.until_moment(house.line.at + timedelta(seconds=5))

    assert house.entry.status is OrderStatus.CANCELLED
    assert {fact.refusal for fact in house.facts(OrderStateChanged)} == {None}


def test_a_refused_cancel_says_its_kind(snapshot: SnapshotAssertion) -> None:
    """EX-07, SP-07"""
    house = a_house_with_an_order()
    house.line.breaks_at(CancelOrder, arrives=False, times=9)
    house.presses(RequestCancel(house.entry.id))
    order_id = house.entry.id

    house.line.take(house.line.at, CancelAnswered(order_id, Refused(RefusalKind.NOT_WORKING, "it is filled", "1")))
    refused = house.last(CancelFailed)
    house.line.take(house.line.at, CancelAnswered(order_id, NoAnswer("the connection broke")))

    assert (refused.refusal, refused.reason) == (RefusalKind.NOT_WORKING, "it is filled")
    assert house.last(CancelFailed).refusal is None
    assert (severity_of(refused), severity_of(house.last(CancelFailed))) == ("", "ERROR")
    assert in_words(refused) == snapshot


def test_an_old_record_has_no_refusal_kind(snapshot: SnapshotAssertion) -> None:
    """SP-07"""
    fact = decode(OLD).fact

    assert isinstance(fact, OrderStateChanged)
    assert (fact.refusal, fact.reason) == (None, snapshot)
