"""Alpaca's own client, pointed at the loopback exchange: what a desk would use, without the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alpaca.trading.client import TradingClient
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, OrderRequest, StopOrderRequest

from tests.kit.pause import pause
from tests.kit.timeline import timeline
from tests.kit.waiting import TIMEOUT
from tests.wire.exchange.server import LoopbackExchange

LOOK = 0.005
"""Virtual seconds."""


def trading_client(exchange: LoopbackExchange) -> TradingClient:
    """Answers as they come, and no request sent twice."""
    client = TradingClient(exchange.keys.id, exchange.keys.secret, raw_data=True, url_override=exchange.trading_url)
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


async def until(is_so: Callable[[], Any]) -> None:
    """Waits for what another thread does; fails when it does not come."""
    given_up = timeline().monotonic() + TIMEOUT
    while not is_so():
        assert timeline().monotonic() < given_up, "it did not come"
        await pause(LOOK)


async def pass_time(seconds: float) -> None:
    """Virtual seconds, in which everything goes on."""
    await pause(seconds)
