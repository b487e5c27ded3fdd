"""What the broker and others do to the account while the desk looks on, and a broker that is away for a while."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.wire.clients import (
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
