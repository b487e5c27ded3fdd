"""What the streams say word for word, and what Alpaca's own clients make of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from alpaca.data.live import StockDataStream
from alpaca.trading.stream import TradingStream
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.legacy.exceptions import InvalidStatusCode

from core.model.values import Symbol
from tests.wire.clients import (
    Json,
    a_market_order,
    a_stop_order,
    market_data,
    trade_updates,
    trading_client,
    until,
)
from tests.wire.exchange.server import LoopbackExchange


async def asked(act: Callable[..., Any], *terms: object) -> Any:
    return await asyncio.to_thread(act, *terms)


async def said_in_json(socket: ClientConnection, said: Json) -> Json:
    """One message there and its answer, which comes in a binary frame."""
    await socket.send(json.dumps(said))
    frame = await socket.recv()
    assert isinstance(frame, bytes)
    return json.loads(frame)


async def said_in_msgpack(socket: ClientConnection, said: Json) -> list[Json]:
    await socket.send(msgpack.packb(said))
    return msgpack.unpackb(await socket.recv())


async def test_trade_updates_are_json_in_binary_frames(exchange: LoopbackExchange) -> None:
    """EX-05"""
    keys = {"key_id": exchange.keys.id, "secret_key": exchange.keys.secret}
    async with connect(exchange.trade_stream_url) as socket:
        allowed = await said_in_json(socket, {"action": "authenticate", "data": keys})
        listening = await said_in_json(socket, {"action": "listen", "data": {"streams": ["trade_updates", "other"]}})
        await asked(trading_client(exchange).submit_order, a_market_order("entry"))
        first = json.loads(await socket.recv())

    assert allowed == {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
    assert listening == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
    assert (first["stream"], first["data"]["event"]) == ("trade_updates", "new")


async def test_market_data_is_msgpack_and_adds_up(exchange: LoopbackExchange) -> None:
    """MD-02"""
    keys = {"key": exchange.keys.id, "secret": exchange.keys.secret}
    async with connect(exchange.data_stream_url) as socket:
        hello = msgpack.unpackb(await socket.recv())
        allowed = await said_in_msgpack(socket, {"action": "auth", **keys})
        await said_in_msgpack(socket, {"action": "subscribe", "bars": ["SPY"], "quotes": ["SPY"]})
        (more,) = await said_in_msgpack(socket, {"action": "subscribe", "bars": ["IBM"]})
        (less,) = await said_in_msgpack(socket, {"action": "unsubscribe", "quotes": ["SPY"]})
        exchange.moves_on(60)
        (bar,) = msgpack.unpackb(await socket.recv())

    assert hello == [{"T": "success", "msg": "connected"}]
    assert allowed == [{"T": "success", "msg": "authenticated"}]
    assert (more["T"], more["bars"], more["quotes"]) == ("subscription", ["IBM", "SPY"], ["SPY"])
    assert (less["bars"], less["quotes"]) == (["IBM", "SPY"], [])
    assert (bar["T"], bar["S"]) == ("b", "SPY")


async def test_an_invalid_message_ends_one_connection(exchange: LoopbackExchange) -> None:
    """MD-02"""
    async with connect(exchange.trade_stream_url) as socket:
        await socket.send("not json")
        with pytest.raises(ConnectionClosed):
            await socket.recv()

    async with trade_updates(exchange):
        pass


@pytest.mark.parametrize("side", ["trades", "data"])
async def test_a_silent_server_blocks_alpacas_stream(exchange: LoopbackExchange, side: str) -> None:
    """MD-02: why the desk has a time-out of its own on authentication."""
    exchange.make("mute", of=side)
    url = exchange.trade_stream_url if side == "trades" else exchange.data_stream_url
    stream = (TradingStream if side == "trades" else StockDataStream)(
        exchange.keys.id, exchange.keys.secret, url_override=url
    )

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream._start_ws(), 0.2)

    await stream.close()


async def test_an_order_is_reported_from_new_to_filled(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        await asked(trading_client(exchange).submit_order, a_market_order("entry", "buy", "3"))

        await until(lambda: heard.events() == ["new", "fill"])

        fill = heard.messages[1]["data"]
        assert (fill["qty"], fill["position_qty"], fill["order"]["status"]) == ("3", "3", "filled")
        assert set(fill) == {"event", "timestamp", "order", "execution_id", "price", "qty", "position_qty"}


async def test_missed_updates_are_not_repeated(exchange: LoopbackExchange) -> None:
    """EX-09: why every reconnect compares."""
    async with trade_updates(exchange) as heard:
        exchange.make("disconnect", of="trades")
        await until(lambda: not exchange.trades.wires)
        await asked(trading_client(exchange).submit_order, a_market_order("missed"))
        await until(lambda: exchange.trades.is_listened_to)
        await asked(trading_client(exchange).submit_order, a_market_order("heard"))

        await until(heard.events)

        assert {message["data"]["order"]["client_order_id"] for message in heard.messages} == {"heard"}


async def test_an_elected_stop_is_reported(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        await asked(trading_client(exchange).submit_order, a_market_order("entry"))
        price = exchange.call(lambda: exchange.floor.price(Symbol("SPY")))
        await asked(trading_client(exchange).submit_order, a_stop_order("stop", str(price - 1)))

        exchange.moves_on(3600)

        await until(lambda: heard.events() == ["new", "fill", "new", "fill"])


async def test_a_second_data_stream_is_refused(exchange: LoopbackExchange) -> None:
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
