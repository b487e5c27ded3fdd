"""Every kind of order that Alpaca takes for shares, asked for by its own client: what is sent, answered and told."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import (
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from core.model.values import Symbol
from tests.kit.rows import cases
from tests.wire.clients import Json, a_market_order, trade_updates, trading_client, until
from tests.wire.exchange.server import LoopbackExchange

BUY_A_SHARE = {"symbol": "SPY", "qty": 1, "side": "buy", "time_in_force": "day"}
SELL_A_SHARE = {**BUY_A_SHARE, "side": "sell"}


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


@cases(
    "terms said",
    ({"trail_price": "2.50"}, {"trail_price": "2.5", "trail_percent": None}),
    ({"trail_percent": "1"}, {"trail_price": None, "trail_percent": "1"}),
)
def test_a_trailing_stop_has_its_distance(exchange: LoopbackExchange, terms: Json, said: dict[str, str | None]) -> None:
    """EX-12"""
    client = trading_client(exchange)
    client.submit_order(a_market_order("entry"))
    client.submit_order(TrailingStopOrderRequest(**SELL_A_SHARE, **terms, client_order_id="trail"))
    exchange.moves_on(60)

    order = client.get_order_by_client_id("trail")

    assert order["type"] == "trailing_stop"
    assert {name: order[name] for name in said} == said
    assert Decimal(order["stop_price"]) < Decimal(order["hwm"])


def test_a_bracket_answers_with_its_legs(exchange: LoopbackExchange) -> None:
    """EX-12"""
    order = trading_client(exchange).submit_order(a_bracket(exchange))

    assert order["order_class"] == "bracket"
    assert {(leg["type"], leg["side"], leg["status"], leg["group_role"]) for leg in order["legs"]} == {
        ("stop", "sell", "held", "stop_loss"),
        ("limit", "sell", "held", "take_profit"),
    }
    assert {leg["group_id"] for leg in order["legs"]} == {order["group_id"]}
    assert order["group_role"] == "entry"


def test_alpacas_models_read_a_bracket(exchange: LoopbackExchange) -> None:
    """EX-12"""
    typed = TradingClient(exchange.keys.id, exchange.keys.secret, url_override=exchange.trading_url)

    order = typed.submit_order(a_bracket(exchange))

    assert {leg.status.value for leg in order.legs} == {"held"}


def test_a_fraction_takes_no_legs(exchange: LoopbackExchange) -> None:
    """OP-06"""
    with pytest.raises(APIError) as refused:
        trading_client(exchange).submit_order(a_bracket(exchange, qty=1.5))

    assert (refused.value.status_code, refused.value.code) == (422, 42210000)


def test_an_oco_reserves_its_shares_once(exchange: LoopbackExchange) -> None:
    """EX-13"""
    client = trading_client(exchange)
    client.submit_order(a_market_order("entry"))
    price = price_of(exchange)

    order = client.submit_order(
        LimitOrderRequest(
            **SELL_A_SHARE,
            order_class="oco",
            limit_price=price + 20,
            take_profit=TakeProfitRequest(limit_price=price + 20),
            stop_loss=StopLossRequest(stop_price=price - 20),
        )
    )

    (stop,) = order["legs"]
    assert (order["group_role"], stop["group_role"]) == ("take_profit", "stop_loss")
    assert client.get_open_position("SPY")["qty_available"] == "0"
    client.cancel_order_by_id(stop["id"])
    assert client.get_order_by_id(order["id"])["status"] == "canceled"


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


def test_a_replaced_leg_stays_in_its_group(exchange: LoopbackExchange) -> None:
    """EX-12"""
    client = trading_client(exchange)
    order = client.submit_order(a_bracket(exchange))
    stop = next(leg for leg in order["legs"] if leg["type"] == "stop")
    nearer = float(Decimal(stop["stop_price"]) + 5)

    moved = client.replace_order_by_id(stop["id"], ReplaceOrderRequest(stop_price=nearer))

    assert (moved["group_id"], moved["group_role"]) == (order["group_id"], "stop_loss")
    assert moved["order_class"] == "bracket"


@cases(
    "terms code",
    ({"time_in_force": "opg"}, 42210000),
    ({"type": "iceberg"}, 42210000),
    ({"notional": "50"}, 42210000),
    ({"qty": None}, 40010001),
    ({"qty": "some"}, 40010001),
    ({"symbol": None}, 40010001),
    ({"symbol": "NOSUCH"}, 42210000),
    ({"client_order_id": "x" * 129}, 40010001),
)
def test_an_invalid_order_is_refused_with_a_code(exchange: LoopbackExchange, terms: Json, code: int) -> None:
    """EX-11"""
    body = {**BUY_A_SHARE, "type": "market", **terms}

    with pytest.raises(APIError) as refused:
        trading_client(exchange).post("/orders", body)

    assert (refused.value.status_code, refused.value.code) == (422, code)
