"""What goes wrong on the way of a request, seen from the client's side and from the exchange's book."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import GetOrdersRequest, ReplaceOrderRequest
from requests import ConnectionError as LostConnectionError
from requests import ReadTimeout

from core.io.wall_clock import utc_now
from tests.wire.clients import a_limit_order, a_market_order, trade_updates, trading_client, until
from tests.wire.exchange.faults import Moment
from tests.wire.exchange.server import LoopbackExchange

REFUSALS = [
    ("duplicate-id", 422, 40010001),
    ("invalid", 422, 42210000),
    ("insufficient", 403, 40310000),
    ("day-trade", 403, 40310100),
    ("not-found", 404, 40410000),
    ("server-error", 500, 50010000),
]


def impatient(exchange: LoopbackExchange) -> TradingClient:
    """A client that waits a tenth of a second for an answer."""
    client = trading_client(exchange)
    ask = client._session.request
    client._session.request = lambda *args, **terms: ask(*args, timeout=0.1, **terms)
    return client


def refused(act: Callable[[], Any]) -> APIError:
    with pytest.raises(APIError) as caught:
        act()
    return caught.value


@pytest.mark.parametrize(("name", "status", "code"), REFUSALS)
def test_a_refusal_has_a_code_and_leaves_no_order(
    exchange: LoopbackExchange, name: str, status: int, code: int
) -> None:
    """EX-06"""
    exchange.make(name, of="submit")

    error = refused(lambda: trading_client(exchange).submit_order(a_market_order("entry")))

    assert (error.status_code, error.code) == (status, code)
    assert exchange.orders() == []


def test_a_504_may_hide_an_accepted_order(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("504-after-accepting", of="submit")
    client = trading_client(exchange)

    error = refused(lambda: client.submit_order(a_market_order("entry")))

    assert error.status_code == 504
    assert client.get_order_by_client_id("entry")["status"] == "filled"
    assert len(exchange.received("POST", "/v2/orders")) == 1


def test_alpacas_client_retries_a_post(exchange: LoopbackExchange) -> None:
    """EX-06: why the adapter switches them off."""
    exchange.make("504-after-accepting", of="submit")
    client = trading_client(exchange)
    client._retry_codes, client._retry_wait = [504], 0

    error = refused(lambda: client.submit_order(a_market_order("entry")))

    first, second = exchange.received("POST", "/v2/orders")
    assert first.body == second.body
    assert error.code == 40010001


def test_a_drop_after_accepting_leaves_an_order(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("drop-after-accepting", of="submit")

    with pytest.raises(LostConnectionError):
        trading_client(exchange).submit_order(a_market_order("entry"))

    assert [order.client_order_id for order in exchange.orders()] == ["entry"]


def test_a_drop_before_accepting_leaves_no_order(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("drop", of="submit")

    with pytest.raises(LostConnectionError):
        trading_client(exchange).submit_order(a_market_order("entry"))

    assert exchange.orders() == []


@pytest.mark.parametrize(("name", "orders"), [("hang", 0), ("hang-after-accepting", 1)])
def test_a_hanging_request_times_out(exchange: LoopbackExchange, name: str, orders: int) -> None:
    """EX-06"""
    exchange.make(name, of="submit")

    with pytest.raises(ReadTimeout):
        impatient(exchange).submit_order(a_market_order("entry"))

    assert len(exchange.orders()) == orders


def test_a_hang_of_some_seconds_ends_with_504(exchange: LoopbackExchange) -> None:
    """EX-06"""
    exchange.make("hang", of="clock", seconds=0.05)

    assert refused(trading_client(exchange).get_clock).status_code == 504


@pytest.mark.parametrize(("name", "orders"), [("html", 0), ("html-after-accepting", 1)])
def test_a_page_of_html_is_an_error(exchange: LoopbackExchange, name: str, orders: int) -> None:
    """EX-06"""
    exchange.make(name, of="submit")

    error = refused(lambda: trading_client(exchange).submit_order(a_market_order("entry")))

    assert error.status_code == 502
    with pytest.raises(ValueError, match="Expecting value"):
        _ = error.code
    assert len(exchange.orders()) == orders


def test_429_without_a_retry_after(exchange: LoopbackExchange) -> None:
    """EX-15"""
    exchange.make("rate-limited", times=2)
    client = trading_client(exchange)

    errors = [refused(client.get_clock) for _ in range(2)]

    assert [error.status_code for error in errors] == [429, 429]
    assert "Retry-After" not in errors[0].response.headers
    assert client.get_clock()["is_open"]


def test_429_with_a_retry_after(exchange: LoopbackExchange) -> None:
    """EX-15"""
    exchange.make("rate-limited-retry-after", of="clock", seconds=7)

    headers = refused(trading_client(exchange).get_clock).response.headers

    assert headers["Retry-After"] == "7"
    assert int(headers["X-RateLimit-Reset"]) == pytest.approx(utc_now().timestamp() + 7, abs=2)


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


async def test_a_fill_arrives_before_its_answer(exchange: LoopbackExchange) -> None:
    """EX-05"""
    exchange.make("fill-before-answer", of="submit", seconds=0.3)
    async with trade_updates(exchange) as heard:
        answer = asyncio.create_task(asyncio.to_thread(trading_client(exchange).submit_order, a_market_order("entry")))

        await until(lambda: "fill" in heard.events())

        assert not answer.done()
        assert (await answer)["status"] == "pending_new"


def test_a_slow_answer_takes_its_seconds(exchange: LoopbackExchange) -> None:
    """EX-15"""
    exchange.make("slow", of="submit", seconds=0.3)

    with pytest.raises(ReadTimeout):
        impatient(exchange).submit_order(a_market_order("entry"))


def test_an_unknown_status_is_in_the_answer(exchange: LoopbackExchange) -> None:
    """EX-05"""
    client = trading_client(exchange)
    client.submit_order(a_market_order("entry"))
    exchange.make("unknown-status", of="orders")

    (order,) = client.get_orders(GetOrdersRequest(status="all"))

    assert order["status"] == "pending_mystery"


def test_a_failed_replace_may_have_succeeded(exchange: LoopbackExchange) -> None:
    """EX-12"""
    client = trading_client(exchange)
    old = client.submit_order(a_limit_order("first", "400"))
    exchange.make("error-after-accepting", of="replace")

    error = refused(lambda: client.replace_order_by_id(old["id"], ReplaceOrderRequest(limit_price=401)))

    assert error.status_code == 422
    assert client.get_order_by_id(old["id"])["status"] == "replaced"


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
