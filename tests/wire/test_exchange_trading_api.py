"""The loopback exchange, asked by Alpaca's own trading client: orders, positions, the account, the clock, assets."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import (
    GetCalendarRequest,
    ReplaceOrderRequest,
)

from tests.wire.clients import a_limit_order, a_market_order, trading_client
from tests.wire.exchange.server import LoopbackExchange

NANOSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def status_and_code(refused: pytest.ExceptionInfo[APIError]) -> tuple[int | None, int]:
    return refused.value.status_code, refused.value.code


def test_an_order_is_found_by_both_ids(exchange: LoopbackExchange) -> None:
    """EX-04"""
    client = trading_client(exchange)
    answer = client.submit_order(a_market_order("entry", quantity="2"))

    by_id, by_name = client.get_order_by_id(answer["id"]), client.get_order_by_client_id("entry")

    assert answer["status"] == "pending_new"
    assert by_id == by_name
    assert (by_id["status"], by_id["qty"], by_id["filled_qty"]) == ("filled", "2", "2")


def test_alpacas_client_reads_an_order(exchange: LoopbackExchange) -> None:
    """EX-09: what a comparison with the broker reads."""
    trading_client(exchange).submit_order(a_market_order("entry"))
    typed = TradingClient(exchange.keys.id, exchange.keys.secret, url_override=exchange.trading_url)

    raw, read = trading_client(exchange).get_order_by_client_id("entry"), typed.get_order_by_client_id("entry")

    assert NANOSECONDS.fullmatch(raw["submitted_at"])
    assert NANOSECONDS.fullmatch(raw["filled_at"])
    assert isinstance(raw["filled_avg_price"], str)
    assert read.id == UUID(raw["id"])


def test_a_duplicate_id_is_refused(exchange: LoopbackExchange) -> None:
    """EX-06"""
    client = trading_client(exchange)
    client.submit_order(a_market_order("entry"))

    with pytest.raises(APIError) as refused:
        client.submit_order(a_market_order("entry"))

    assert status_and_code(refused) == (422, 40010001)
    assert len(exchange.orders()) == 1


def test_a_replacement_is_a_new_linked_order(exchange: LoopbackExchange) -> None:
    """EX-12"""
    client = trading_client(exchange)
    old = client.submit_order(a_limit_order("first", "400"))

    new = client.replace_order_by_id(old["id"], ReplaceOrderRequest(limit_price=401, client_order_id="second"))

    assert (new["replaces"], new["limit_price"], new["client_order_id"]) == (old["id"], "401", "second")
    assert client.get_order_by_id(old["id"])["replaced_by"] == new["id"]
    assert client.get_order_by_id(old["id"])["status"] == "replaced"


def test_clock_and_calendar_are_new_yorks(exchange: LoopbackExchange) -> None:
    """EX-09: what a comparison with the broker reads."""
    client = trading_client(exchange)

    clock = client.get_clock()
    days = client.get_calendar(GetCalendarRequest(start="2026-11-19", end="2026-11-23"))

    assert clock["is_open"] is True
    assert clock["timestamp"].startswith("2026-11-19T10:00:00")
    assert [(day["date"], day["open"], day["close"]) for day in days] == [
        ("2026-11-19", "09:30", "16:00"),
        ("2026-11-20", "09:30", "16:00"),
        ("2026-11-23", "09:30", "16:00"),
    ]


def test_wrong_keys_are_401_with_a_code(exchange: LoopbackExchange) -> None:
    """SY-06"""
    another_secret = exchange.keys.secret[::-1]

    with pytest.raises(APIError) as refused:
        trading_client(exchange, another_secret).get_account()

    assert status_and_code(refused) == (401, 40110000)
