"""What the broker and others do to the account while the desk looks on, and a broker that is away for a while."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.requests import GetOrdersRequest
from requests import ConnectionError as LostConnectionError

from tests.wire.clients import (
    a_limit_order,
    a_market_order,
    a_stop_order,
    market_data,
    trade_updates,
    trading_client,
    until,
)
from tests.wire.exchange.clocks import RunningClock
from tests.wire.exchange.faults import UnknownFaultError
from tests.wire.exchange.server import MORNING, LoopbackExchange


def test_a_cancel_stays_pending(exchange: LoopbackExchange) -> None:
    """OP-07"""
    client = trading_client(exchange)
    order = client.submit_order(a_limit_order("entry", "400"))
    exchange.make("cancel-pending")

    client.cancel_order_by_id(order["id"])
    pending = client.get_order_by_id(order["id"])["status"]
    still_open = [one["status"] for one in client.get_orders()]
    exchange.end("cancel-pending")

    assert (pending, still_open) == ("pending_cancel", ["pending_cancel"])
    assert client.get_order_by_id(order["id"])["status"] == "canceled"


async def test_an_order_may_fill_while_its_cancel_pends(exchange: LoopbackExchange) -> None:
    """OP-07"""
    client = trading_client(exchange)
    async with trade_updates(exchange) as heard:
        exchange.make("market-halted", symbol="SPY")
        order = await asyncio.to_thread(client.submit_order, a_market_order("entry"))
        exchange.make("cancel-pending")
        await asyncio.to_thread(client.cancel_order_by_id, order["id"])
        exchange.end("market-halted")
        exchange.moves_on(60)

        await until(lambda: heard.events() == ["new", "pending_cancel", "fill"])
        exchange.end("cancel-pending")

    assert exchange.positions()[0].quantity == 1


async def test_somebody_cancels_a_stop_elsewhere(exchange: LoopbackExchange) -> None:
    """EX-13"""
    client = trading_client(exchange)
    async with trade_updates(exchange) as heard:
        await asyncio.to_thread(client.submit_order, a_market_order("entry"))
        await asyncio.to_thread(client.submit_order, a_stop_order("stop", "400"))

        exchange.make("cancelled-elsewhere", order="stop")

        await until(lambda: heard.events() == ["new", "fill", "new", "canceled"])


async def test_an_external_order_closes_the_position(exchange: LoopbackExchange) -> None:
    """EX-09"""
    client = trading_client(exchange)
    async with trade_updates(exchange) as heard:
        await asyncio.to_thread(client.submit_order, a_market_order("entry"))
        await asyncio.to_thread(client.submit_order, a_stop_order("stop", "400"))

        exchange.make("closed-elsewhere", symbol="SPY")

        await until(lambda: heard.events()[-3:] == ["canceled", "new", "fill"])
        assert heard.messages[-1]["data"]["position_qty"] == "0"
        assert heard.messages[-1]["data"]["order"]["client_order_id"].startswith("elsewhere")
        assert exchange.positions() == ()


def test_somebody_buys_elsewhere(exchange: LoopbackExchange) -> None:
    """EX-09"""
    exchange.make("bought-elsewhere", symbol="SPY")

    assert trading_client(exchange).get_open_position("SPY")["qty"] == "1"


def test_a_blocked_account_takes_no_order(exchange: LoopbackExchange) -> None:
    """RK-14"""
    client = trading_client(exchange)
    exchange.make("account-blocked")

    with pytest.raises(APIError) as refused:
        client.submit_order(a_market_order("entry"))

    assert (refused.value.status_code, refused.value.code) == (403, 40310000)
    assert client.get_account()["trading_blocked"] is True
    exchange.end("account-blocked")
    assert client.get_account()["trading_blocked"] is False


def test_the_brokers_clock_is_ahead(exchange: LoopbackExchange) -> None:
    """SY-06"""
    exchange.make("clock-skew", seconds=90)

    told = datetime.fromisoformat(trading_client(exchange).get_clock()["timestamp"])

    assert told == MORNING + timedelta(seconds=90)


async def test_a_server_keeps_its_state_over_an_outage(
    exchange: LoopbackExchange, caplog: pytest.LogCaptureFixture
) -> None:
    """EX-20"""
    caplog.set_level(logging.CRITICAL)
    client = trading_client(exchange)
    async with trade_updates(exchange) as updates, market_data(exchange, "SPY") as shown:
        await asyncio.to_thread(client.submit_order, a_market_order("before"))
        exchange.make("gone", seconds=0.3)
        with pytest.raises(LostConnectionError):
            await asyncio.to_thread(client.get_clock)

        await until(lambda: exchange.trades.connections == 2 and exchange.trades.is_listened_to)
        await until(lambda: exchange.data["iex"].connections == 2 and exchange.data["iex"].is_listened_to)
        await asyncio.to_thread(client.submit_order, a_market_order("after"))
        exchange.moves_on(60)

        await until(lambda: updates.events()[-2:] == ["new", "fill"] and shown.of_kind("b"))
    known = await asyncio.to_thread(client.get_orders, GetOrdersRequest(status="all"))
    assert [order["client_order_id"] for order in known] == ["after", "before"]


def test_a_crashed_desk_finds_its_orders(exchange: LoopbackExchange) -> None:
    """EX-20"""
    crashed = trading_client(exchange)
    crashed.submit_order(a_market_order("entry"))
    crashed.submit_order(a_stop_order("stop", "400"))
    crashed._session.close()

    (stop,) = trading_client(exchange).get_orders()

    assert (stop["client_order_id"], stop["status"]) == ("stop", "new")


def test_an_incomplete_fault_is_refused(exchange: LoopbackExchange) -> None:
    """EX-06"""
    for name in ("gone", "closed-elsewhere", "no-such-fault"):
        with pytest.raises(UnknownFaultError):
            exchange.make(name)


async def test_a_running_market_moves_by_itself() -> None:
    """MD-02"""
    just_before_the_minute = RunningClock(MORNING + timedelta(seconds=59))
    with LoopbackExchange(clock=just_before_the_minute) as exchange:
        async with market_data(exchange, "SPY") as heard:
            await until(lambda: heard.of_kind("b") and heard.of_kind("q"))
