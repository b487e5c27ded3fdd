"""Alpaca's JSON is read with care: what fits is exact, what does not is named, and nothing else ever comes out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.brokers.alpaca.books import a_non_trade
from core.brokers.alpaca.contract import CLOCK
from core.brokers.alpaca.fields import EVENTS, Fields, UnreadableFieldError, event_of
from core.brokers.alpaca.parsing import (
    a_clock,
    a_position,
    a_session,
    an_account,
    an_activity,
    an_instrument,
    an_order,
    an_update,
    submitted_at,
    why_blocked,
)
from core.brokers.alpaca.refusal_codes import NotJsonError, Stated, decoded, doubt, is_unauthorised, refusal
from core.execution.order_status import BROKER_STATUSES
from core.io.http_requests import Reply
from core.model.api_contract import ApiField, ApiFieldKind, ApiRecord
from core.model.broker import OrderReport, OrderUpdate, UpdateEvent
from core.model.order import OrderStatus, OrderType
from tests.kit.rows import table
from tests.kit.texts import texts
from tests.unit.core.brokers.alpaca_door import NOON, a_position_json, an_account_json, an_order_json, an_update_json

A_NUMBER = ApiRecord("it", "", "", (ApiField("x", ApiFieldKind.NUMBER),))
ALPACAS_STATUSES = (
    *("new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced", "pending_cancel"),
    *("pending_replace", "pending_review", "accepted", "pending_new", "accepted_for_bidding", "stopped", "rejected"),
    *("suspended", "calculated", "held"),
)
ALPACAS_EVENTS = (
    *("new", "accepted", "pending_new", "partial_fill", "fill", "canceled", "expired", "rejected", "replaced"),
    *("pending_cancel", "pending_replace", "order_cancel_rejected", "order_replace_rejected", "done_for_day"),
    *("stopped", "suspended", "calculated", "held", "restated"),
)


@table("word", *ALPACAS_STATUSES)
def test_every_status_of_alpaca_is_in_the_table(word: str) -> None:
    """EX-01"""
    assert word in BROKER_STATUSES


@table("word", *ALPACAS_EVENTS)
def test_every_event_of_alpaca_is_in_the_table(word: str) -> None:
    """EX-01"""
    assert EVENTS[word].value == word
    assert an_update(an_update_json(word)).event.value == word


def test_an_unknown_word_is_not_guessed() -> None:
    """EX-01"""
    update = an_update(an_update_json("trade_split", order=an_order_json(status="split")))

    assert (update.event, update.execution) == (UpdateEvent.OTHER, None)
    assert (update.report.status, update.report.raw_status) == (None, "split")
    assert event_of("other") is UpdateEvent.OTHER


@table("time", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00")
def test_no_time_is_at_an_end_of_the_calendar(time: str) -> None:
    """EX-23, MD-03: whoever reckons with one would fail"""
    fill = {"id": "1::a", "order_id": "b", "transaction_time": time, "qty": "1", "price": "9"}
    session = {"date": time[:10], "open": "09:30", "close": "16:00"}
    fee = {"id": "a", "activity_type": "FEE", "date": time[:10], "net_amount": "-1"}
    for read in (
        lambda: a_clock({"timestamp": time}),
        lambda: submitted_at(an_order_json(submitted_at=time)),
        lambda: an_update(an_update_json(timestamp=time)),
        lambda: an_activity(fill),
        lambda: a_session(session),
        lambda: a_non_trade(fee),
    ):
        with pytest.raises(UnreadableFieldError, match="is no"):
            read()
    assert an_order(an_order_json(submitted_at=time, created_at=time)).accepted_at is None


def test_a_fill_is_one_execution_of_a_cumulative_order() -> None:
    """EX-05"""
    update = an_update(an_update_json())

    assert isinstance(update, OrderUpdate)
    assert update.execution is not None
    assert (update.execution.quantity, update.execution.price) == (4, Decimal("100.45"))
    assert update.execution.id == "2f63ea93-423d-4169-b3f6-3fdafc10c418"
    assert update.at == update.execution.at == datetime(2026, 11, 20, 16, 59, 30, 123_456, UTC)
    assert (update.report.status, update.report.filled_quantity) == (OrderStatus.FILLED, 10)


def test_only_a_fill_carries_an_execution() -> None:
    """EX-05: a cancel may repeat the last execution's fields."""
    assert an_update(an_update_json("canceled")).execution is None
    assert an_update(an_update_json("new", execution_id=None, qty=None, price=None)).execution is None


def test_an_older_order_type_field_is_read() -> None:
    """EX-01"""
    assert an_order(an_order_json(type="", order_type="stop", stop_price="99")).type is OrderType.STOP


def test_a_price_of_nothing_filled_is_none() -> None:
    """EX-05"""
    assert an_order(an_order_json(filled_avg_price="0")).average_price is None


@table(
    "raw figure",
    ("100.50", "100.50"),
    (100, "100"),
    ("-3", "-3"),
    (Decimal("1E+2"), "100"),
    ("0.000000001", "0.000000001"),
)
def test_a_number_keeps_its_digits(raw: object, figure: str) -> None:
    """EX-05"""
    assert Fields({"x": raw}, "it", A_NUMBER).number("x") == Decimal(figure)


@table(
    "raw", "", None, "NaN", "1e3", " 1", "１", "+1", "1,000", "0x10", ".5", "1" * 40, True,
    [1],
    Decimal("1E-999999"),
    {},
)  # fmt: skip
def test_an_invalid_number_is_named(raw: object) -> None:
    """EX-05"""
    with pytest.raises(UnreadableFieldError, match=r"^it: x "):
        Fields({"x": raw}, "it", A_NUMBER).number("x")


@table(
    "raw", "2026-11-20", "2026-11-20T17:00:00", "2026-13-20T17:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "20261120T170000Z", 1_763_658_000, None,
)  # fmt: skip
def test_a_time_without_a_zone_is_refused(raw: object) -> None:
    """EX-01"""
    with pytest.raises(UnreadableFieldError):
        a_clock({"timestamp": raw})


@table("text", "a\nb", "\x1b[2J", "x" * 201, 7)
def test_control_characters_are_not_read(text: object) -> None:
    """SY-06"""
    with pytest.raises(UnreadableFieldError):
        an_order(an_order_json(status=text, client_order_id="by-hand"))
    assert an_order(an_order_json(status=text)).raw_status == ""


@table(
    "fields words",
    ({}, ""),
    ({"account_blocked": True}, "support"),
    ({"trading_blocked": True}, "dashboard"),
    ({"trade_suspended_by_user": True}, "resume"),
    ({"status": "ACTION_REQUIRED"}, "ACTION_REQUIRED"),
)
def test_a_blocked_account_says_why(fields: dict[str, Any], words: str) -> None:
    """EX-11"""
    raw = an_account_json(**fields)

    assert words in why_blocked(raw)
    assert an_account(raw, NOON).is_blocked is bool(fields)


@table("qty side signed", ("3", "long", 3), ("-3", "short", -3), ("3", "short", -3))
def test_a_short_position_is_negative(qty: str, side: str, signed: int) -> None:
    """EX-08"""
    assert a_position(a_position_json(qty=qty, side=side)).quantity == signed


def a_reply(status: int, body: object) -> Reply:
    return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


@table(
    "status body is_so",
    (401, {"code": 40110000, "message": "request is not authorized"}, True),
    (403, {"message": "forbidden."}, True),
    (403, {"code": 40310000, "message": "insufficient buying power"}, False),
    (403, b"<html>forbidden</html>", False),
    (401, b"<html>proxy</html>", False),
    (200, {"message": "forbidden."}, False),
)
def test_only_alpaca_rejects_keys(status: int, body: object, is_so: bool) -> None:
    """EX-06: a page of a proxy on the way says nothing of keys."""
    assert is_unauthorised(a_reply(status, body)) is is_so


def test_a_long_message_is_cut_and_kept() -> None:
    """SY-06"""
    refused = refusal(a_reply(422, {"code": 42210000, "message": "x" * 10_000}))

    assert isinstance(refused, Stated)
    assert len(refused.message) == 500


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | texts(20)
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.sampled_from(["fill", "new", "buy", "SPY", "10", "-1", "1e9", "2026-11-20T17:00:00Z", "long", "ACTIVE", "day"])
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(10), inner, max_size=4), max_leaves=4
)
UNHURRIED = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
READERS = [
    an_order, an_update, an_activity, a_position, lambda raw: an_account(raw, NOON), why_blocked, an_instrument,
    a_clock, a_session, submitted_at,
]  # fmt: skip
NAMES = [
    *an_order_json(), *an_update_json(), *an_account_json(), "avg_entry_price", "transaction_time", "date", "open",
    "close", "tradable", "fractionable",
]  # fmt: skip


def error_of(read: Any, raw: object) -> str | None:
    try:
        read(raw)
    except UnreadableFieldError as error:
        return str(error)
    return None


@UNHURRIED
@given(JUNK | st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=8))
def test_any_message_is_read_or_named(raw: object) -> None:
    """EX-06: a message of the broker's never ends the desk."""
    named = [error for read in READERS if (error := error_of(read, raw)) is not None]

    assert all("\n" not in error and len(error) < 600 for error in named)


@UNHURRIED
@given(st.sampled_from(sorted(an_order_json())), JUNK)
def test_a_broken_order_is_read_or_named(name: str, value: object) -> None:
    """EX-01"""
    try:
        report = an_order(an_order_json(**{name: value}))
    except UnreadableFieldError:
        return
    assert isinstance(report, OrderReport)
    assert report.quantity > 0
    assert report.filled_quantity >= 0
    assert report.limit_price is None or report.limit_price > 0


@UNHURRIED
@given(st.binary(max_size=60) | texts(60).map(str.encode), st.integers(100, 599))
def test_any_server_answer_is_refusal_or_doubt(body: bytes, status: int) -> None:
    """EX-06"""
    reply = Reply(status, {}, body)

    refused = refusal(reply)
    is_unauthorised(reply)

    assert refused is None or 400 <= status < 500
    assert doubt(reply).reason.startswith("Alpaca")


@table("body", b"NaN", b"[Infinity, 7]", b'{"a": "\xff", "b": 7}', b"[" + b"1" * 5000 + b", 7]")
def test_a_value_that_json_has_not_hides_no_other(body: bytes) -> None:
    """EX-26: and no field can be read from it"""
    read = decoded(body)
    values = [*read.values()] if isinstance(read, dict) else read if isinstance(read, list) else [read]

    assert values[1:] in ([], [7])
    for kind in (Fields.text, Fields.number, Fields.flag, Fields.moment):
        with pytest.raises(UnreadableFieldError):
            kind(Fields({"timestamp": values[0]}, "the clock", CLOCK), "timestamp")


@table("body", b"[" * 200_000, b"\xff\xfe", b"", b"{")
def test_json_that_is_none_is_said(body: bytes) -> None:
    """EX-06"""
    with pytest.raises(NotJsonError):
        decoded(body)
