"""Alpaca's own client, pointed at the loopback exchange: what a desk would use, without the desk."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, OrderRequest, StopOrderRequest
from alpaca.trading.stream import TradingStream

from tests.kit.pause import pause
from tests.kit.timeline import timeline
from tests.kit.waiting import PATIENCE
from tests.wire.exchange.server import LoopbackExchange

Json = dict[str, Any]
LOOK = 0.005
"""Virtual seconds."""


def trading_client(exchange: LoopbackExchange, secret: str | None = None) -> TradingClient:
    """Answers as they come, and no request sent twice."""
    secret = exchange.keys.secret if secret is None else secret
    client = TradingClient(exchange.keys.id, secret, raw_data=True, url_override=exchange.trading_url)
    client._retry_codes = []
    return client


def data_client(exchange: LoopbackExchange) -> StockHistoricalDataClient:
    client = StockHistoricalDataClient(
        exchange.keys.id, exchange.keys.secret, raw_data=True, url_override=exchange.data_url
    )
    client._retry_codes = []
    return client


def a_market_order(name: str, side: str = "buy", quantity: str = "1") -> OrderRequest:
    return MarketOrderRequest(symbol="SPY", qty=quantity, side=side, time_in_force="day", client_order_id=name)


def a_limit_order(name: str, limit: str, side: str = "buy", quantity: str = "1") -> OrderRequest:
    return LimitOrderRequest(
        symbol="SPY", qty=quantity, side=side, time_in_force="day", limit_price=limit, client_order_id=name
    )


def a_stop_order(name: str, stop: str, side: str = "sell", quantity: str = "1") -> OrderRequest:
    return StopOrderRequest(
        symbol="SPY", qty=quantity, side=side, time_in_force="day", stop_price=stop, client_order_id=name
    )


class Heard:
    """What a stream has told so far."""

    def __init__(self) -> None:
        self.messages: list[Json] = []

    async def hear(self, message: Json) -> None:
        self.messages.append(message)

    def events(self) -> list[str]:
        """Of trade updates."""
        return [message["data"]["event"] for message in self.messages]

    def of_kind(self, kind: str) -> list[Json]:
        """Of market data: `b`, `u`, `q`, `s`."""
        return [message for message in self.messages if message["T"] == kind]


@asynccontextmanager
async def trade_updates(exchange: LoopbackExchange) -> AsyncIterator[Heard]:
    """Alpaca's own stream of trade updates, listening."""
    heard = Heard()
    stream = TradingStream(
        exchange.keys.id, exchange.keys.secret, raw_data=True, url_override=exchange.trade_stream_url
    )
    stream.subscribe_trade_updates(heard.hear)
    async with running(stream, lambda: exchange.trades.is_listened_to):
        yield heard


@asynccontextmanager
async def running(stream: TradingStream | StockDataStream, is_there: Callable[[], bool]) -> AsyncIterator[None]:
    """The stream runs, and comes back within a twentieth of a second where it is lost."""
    random.seed(1)  # of which the library takes its pauses
    stream._reconnect_min_backoff = stream._reconnect_max_backoff = 0.05
    task = asyncio.create_task(stream._run_forever())
    try:
        await until(is_there)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()


async def until(is_so: Callable[[], Any]) -> None:
    """Waits for what another thread does; fails when it does not come."""
    given_up = timeline().monotonic() + PATIENCE
    while not is_so():
        assert timeline().monotonic() < given_up, "it did not come"
        await pause(LOOK)


async def pass_time(seconds: float) -> None:
    """Virtual seconds, in which everything goes on."""
    await pause(seconds)
