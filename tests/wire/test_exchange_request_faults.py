"""What goes wrong on the way of a request, seen from the client's side and from the exchange's book."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError

from tests.wire.clients import a_market_order, trading_client
from tests.wire.exchange.faults import Moment
from tests.wire.exchange.server import LoopbackExchange


def refused(act: Callable[[], Any]) -> APIError:
    with pytest.raises(APIError) as caught:
        act()
    return caught.value


def test_an_order_is_called_a_duplicate(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("duplicate-id", of="submit")

    error = refused(lambda: trading_client(exchange).submit_order(a_market_order("entry")))

    assert (error.status_code, error.code, exchange.orders()) == (422, 40010001, [])


def test_alpacas_client_retries_a_post(exchange: LoopbackExchange) -> None:
    """EX-06: why the adapter switches them off."""
    exchange.make("504-after-accepting", of="submit")
    client = trading_client(exchange)
    client._retry_codes, client._retry_wait = [504], 0

    error = refused(lambda: client.submit_order(a_market_order("entry")))

    first, second = exchange.received("POST", "/v2/orders")
    assert first.body == second.body
    assert error.code == 40010001


def test_a_hang_of_some_seconds_ends_with_504(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("hang", of="clock", seconds=0.05)

    assert refused(trading_client(exchange).get_clock).status_code == 504


def test_a_rate_limit_counts_requests_per_minute() -> None:
    """EX-17"""
    with LoopbackExchange(limit=3) as exchange:
        client = trading_client(exchange)
        for _ in range(3):
            client.get_clock()

        error = refused(lambda: client.submit_order(a_market_order("entry")))

        assert (error.status_code, error.code) == (429, 42910000)
        assert 50 <= int(error.response.headers["Retry-After"]) <= 60
        assert exchange.orders() == []


def test_a_fault_applies_to_its_kind_and_count(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("server-error", of="account", times=2)
    client = trading_client(exchange)

    assert client.get_clock()["is_open"]
    assert [refused(client.get_account).status_code for _ in range(2)] == [500, 500]
    assert client.get_account()["currency"] == "USD"


def test_faults_are_set_and_ended_over_http(exchange: LoopbackExchange) -> None:
    """EX-06"""
    there = f"{exchange.trading_url}/faults"

    told = requests.post(there, json={"fault": "html", "of": "clock", "times": 9}, timeout=2)
    wrong = requests.post(there, json={"fault": "no-such-fault"}, timeout=2)
    waiting = requests.get(there, timeout=2).json()["told"]
    ended = requests.delete(there, timeout=2).json()

    assert told.json()["when"] == Moment.ASKED.value
    assert wrong.status_code == 422
    assert "504-after-accepting" in wrong.json()["message"]
    assert [fault["times"] for fault in waiting] == [9]
    assert ended == {"ended": ["html"]}
    assert trading_client(exchange).get_clock()["is_open"]


def test_received_requests_are_served_over_http(exchange: LoopbackExchange) -> None:
    """EX-17"""
    trading_client(exchange).get_clock()

    (one,) = requests.get(f"{exchange.trading_url}/received", timeout=2).json()

    assert (one["method"], one["path"]) == ("GET", "/v2/clock")
