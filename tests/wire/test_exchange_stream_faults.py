"""What goes wrong on the streams, heard by Alpaca's own clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockLatestQuoteRequest
from alpaca.trading.stream import TradingStream
from websockets.legacy.exceptions import InvalidStatusCode

from tests.wire.clients import (
    Heard,
    a_market_order,
    data_client,
    market_data,
    pass_time,
    trade_updates,
    trading_client,
    until,
)
from tests.wire.exchange.server import LoopbackExchange

SOON = 0.1
"""Seconds in which what must not come would have come."""


async def asked(act: Callable[..., Any], *terms: object) -> Any:
    return await asyncio.to_thread(act, *terms)


async def test_a_replayed_execution_has_the_same_id(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        exchange.make("replay-update", of="fill")

        await asked(trading_client(exchange).submit_order, a_market_order("entry"))

        await until(lambda: heard.events() == ["new", "fill", "fill"])
        assert heard.messages[1]["data"]["execution_id"] == heard.messages[2]["data"]["execution_id"]
        assert exchange.positions()[0].quantity == 1


async def test_updates_arrive_out_of_order(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        exchange.make("reorder-updates")

        await asked(trading_client(exchange).submit_order, a_market_order("entry"))

        await until(lambda: heard.events() == ["fill", "new"])


@pytest.mark.parametrize(("event", "told"), [("new", ["fill"]), ("fill", ["new"])])
async def test_an_update_is_dropped(exchange: LoopbackExchange, event: str, told: list[str]) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        exchange.make("drop-update", of=event)

        await asked(trading_client(exchange).submit_order, a_market_order("entry"))

        await until(lambda: heard.events() == told)
        await pass_time(SOON)
        assert heard.events() == told


@pytest.mark.parametrize("name", ["unknown-status-update", "malformed-update"])
async def test_an_update_that_no_typed_client_reads(exchange: LoopbackExchange, name: str) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        exchange.make(name)

        await asked(trading_client(exchange).submit_order, a_market_order("entry"))

        await until(lambda: heard.events() == ["new", "fill"])
        assert heard.messages[0]["data"]["order"].get("status") in ("pending_mystery", None)


async def test_a_mute_socket_stays_open(exchange: LoopbackExchange) -> None:
    """MD-02"""
    async with trade_updates(exchange) as updates, market_data(exchange, "SPY") as shown:
        exchange.make("mute")
        await asked(trading_client(exchange).submit_order, a_market_order("entry"))
        exchange.moves_on(60)
        await pass_time(SOON)
        assert (updates.messages, shown.messages) == ([], [])

        exchange.end("mute")
        exchange.moves_on(60)

        await until(lambda: shown.of_kind("b"))
        assert exchange.trades.connections == exchange.data["iex"].connections == 1


async def test_a_second_data_stream_is_refused(exchange: LoopbackExchange, caplog: pytest.LogCaptureFixture) -> None:
    """MD-02"""
    async with market_data(exchange, "SPY"):
        second = StockDataStream(exchange.keys.id, exchange.keys.secret, url_override=exchange.data_stream_url)

        await second._connect()
        with pytest.raises(ValueError, match="connection limit exceeded"):
            await second._auth()
        await second.close()

    assert exchange.data["iex"].connections == 1


async def test_a_second_update_stream_is_refused(exchange: LoopbackExchange) -> None:
    """MD-02"""
    async with trade_updates(exchange):
        second = TradingStream(exchange.keys.id, exchange.keys.secret, url_override=exchange.trade_stream_url)

        with pytest.raises(InvalidStatusCode) as refused:
            await second._connect()

    assert refused.value.status_code == 406


async def test_others_may_use_up_the_connections(exchange: LoopbackExchange) -> None:
    """MD-02"""
    exchange.make("connection-limit", of="data")
    stream = StockDataStream(exchange.keys.id, exchange.keys.secret, url_override=exchange.data_stream_url)

    await stream._connect()
    with pytest.raises(ValueError, match="connection limit exceeded"):
        await stream._auth()
    await stream.close()


@pytest.mark.parametrize("name", ["disconnect", "cut-mid-frame"])
async def test_a_lost_stream_is_subscribed_again(
    exchange: LoopbackExchange, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """MD-02"""
    caplog.set_level(logging.CRITICAL)
    async with market_data(exchange, "SPY") as shown, trade_updates(exchange) as updates:
        exchange.make(name)
        await until(lambda: exchange.data["iex"].connections == exchange.trades.connections == 2)
        await until(lambda: exchange.data["iex"].is_listened_to and exchange.trades.is_listened_to)

        exchange.moves_on(60)
        await asked(trading_client(exchange).submit_order, a_market_order("entry"))

        await until(lambda: shown.of_kind("b") and updates.events() == ["new", "fill"])


@pytest.mark.parametrize("side", ["trades", "data"])
async def test_streams_refuse_wrong_keys(exchange: LoopbackExchange, side: str) -> None:
    """SY-06"""
    exchange.make("wrong-keys")
    url = exchange.trade_stream_url if side == "trades" else exchange.data_stream_url
    stream = (TradingStream if side == "trades" else StockDataStream)(
        exchange.keys.id, exchange.keys.secret, url_override=url
    )

    await stream._connect()
    with pytest.raises(ValueError, match="auth"):
        await stream._auth()
    await stream.close()


async def two_bars(exchange: LoopbackExchange, heard: Heard) -> list[int]:
    """Minutes of the bars told, two minutes having passed."""
    exchange.moves_on(60)
    exchange.moves_on(60)
    await until(lambda: heard.of_kind("q"))
    await pass_time(SOON)
    return [bar["t"].to_datetime().minute for bar in heard.of_kind("b")]


@pytest.mark.parametrize(
    ("name", "minutes"),
    [("late-bar", [1, 0]), ("drop-bar", [1]), ("repeated-bar", [0, 0, 1])],
)
async def test_bars_arrive_late_never_or_twice(exchange: LoopbackExchange, name: str, minutes: list[int]) -> None:
    """MD-03"""
    exchange.make(name)
    async with market_data(exchange, "SPY") as heard:
        assert await two_bars(exchange, heard) == minutes


async def test_a_bar_is_revised_afterwards(exchange: LoopbackExchange) -> None:
    """MD-03"""
    exchange.make("revised-bar")
    async with market_data(exchange, "SPY") as heard:
        exchange.moves_on(60)

        await until(lambda: heard.of_kind("u"))

        (bar,), (revised,) = heard.of_kind("b"), heard.of_kind("u")
        assert bar["t"] == revised["t"]
        assert bar["v"] != revised["v"]


async def test_quotes_are_crossed_or_empty(exchange: LoopbackExchange) -> None:
    """MD-03"""
    question = StockLatestQuoteRequest(symbol_or_symbols="SPY")
    async with market_data(exchange, "SPY") as heard:
        exchange.make("crossed-quotes")
        exchange.moves_on(1)
        asked_for = (await asked(data_client(exchange).get_stock_latest_quote, question))["SPY"]
        exchange.end()
        exchange.make("zero-quotes")
        exchange.moves_on(1)

        await until(lambda: len(heard.of_kind("q")) == 2)

        crossed, empty = heard.of_kind("q")
        assert crossed["bp"] > crossed["ap"]
        assert asked_for["bp"] > asked_for["ap"]
        assert (empty["bp"], empty["bs"]) == (0, 0)


async def test_a_halted_market_fills_nothing(exchange: LoopbackExchange) -> None:
    """MD-03"""
    async with market_data(exchange, "SPY") as shown, trade_updates(exchange) as updates:
        exchange.make("market-halted", symbol="SPY")
        await asked(trading_client(exchange).submit_order, a_market_order("entry"))
        exchange.moves_on(120)
        await until(lambda: shown.of_kind("s"))
        await pass_time(SOON)
        assert (shown.of_kind("s")[0]["sc"], shown.of_kind("b"), updates.events()) == ("H", [], ["new"])

        exchange.end("market-halted")
        exchange.moves_on(60)

        await until(lambda: shown.of_kind("b") and updates.events() == ["new", "fill"])
        assert shown.of_kind("s")[-1]["sc"] == "T"
