"""Every kind of order that Alpaca takes for shares, asked for by its own client: what is sent, answered and told."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from alpaca.trading.client import TradingClient
from alpaca.trading.requests import (
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)

from core.model.values import Symbol
from tests.wire.clients import a_market_order, trade_updates, trading_client, until
from tests.wire.exchange.server import LoopbackExchange

BUY_A_SHARE = {"symbol": "SPY", "qty": 1, "side": "buy", "time_in_force": "day"}


def price_of(exchange: LoopbackExchange) -> Decimal:
    return exchange.call(lambda: exchange.floor.price(Symbol("SPY")))


def a_bracket(exchange: LoopbackExchange, **terms: object) -> MarketOrderRequest:
    price = price_of(exchange)
    return MarketOrderRequest(
        **{
            **BUY_A_SHARE,
            "order_class": "bracket",
            "client_order_id": "entry",
            "stop_loss": StopLossRequest(stop_price=price - 20),
            "take_profit": TakeProfitRequest(limit_price=price + 20),
            **terms,
        }
    )


def test_alpacas_models_read_a_bracket(exchange: LoopbackExchange) -> None:
    """EX-12"""
    typed = TradingClient(exchange.keys.id, exchange.keys.secret, url_override=exchange.trading_url)

    order = typed.submit_order(a_bracket(exchange))

    assert {leg.status.value for leg in order.legs} == {"held"}


async def test_legs_are_reported_one_at_a_time(exchange: LoopbackExchange) -> None:
    """EX-13"""
    async with trade_updates(exchange) as heard:
        order = await asyncio.to_thread(trading_client(exchange).submit_order, a_bracket(exchange))

        await until(lambda: heard.events() == ["new", "fill", "new", "new"])

        told = [message["data"]["order"] for message in heard.messages]
        assert {one["group_id"] for one in told} == {order["group_id"]}
        assert {one["legs"] is None for one in told} == {True}


def test_a_list_loses_a_leg_with_its_parent(exchange: LoopbackExchange) -> None:
    """EX-09: flat lists leave out what is held; nested ones go with the parent."""
    client = trading_client(exchange)
    price = price_of(exchange)
    entry = client.submit_order(
        LimitOrderRequest(
            **BUY_A_SHARE,
            order_class="oto",
            limit_price=price - 5,
            stop_loss=StopLossRequest(stop_price=price - 20),
        )
    )

    def listed(**query: object) -> list[tuple[str, int]]:
        return [(order["type"], len(order["legs"] or ())) for order in client.get_orders(GetOrdersRequest(**query))]

    assert (listed(), listed(nested=True)) == ([("limit", 0)], [("limit", 1)])
    assert len(client.get_order_by_id(entry["id"], GetOrderByIdRequest(nested=True))["legs"]) == 1
    client.submit_order(a_market_order("another"))
    client.submit_order(a_bracket(exchange, order_class="oto", take_profit=None, client_order_id="filled"))
    assert listed() == [("stop", 0), ("limit", 0)]
    assert listed(nested=True) == [("limit", 1)]
