"""Bars and quotes that a test gives: the prices at which orders fill are known to the cent, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.requests import StockLatestQuoteRequest

from core.model.bar import Bar
from core.model.instrument import WHOLE_ONES, BrokerInstrument
from core.model.quote import Feed, Quote
from core.model.values import Price, Quantity, Symbol
from tests.wire.clients import (
    a_limit_order,
    a_market_order,
    data_client,
    market_data,
    trade_updates,
    trading_client,
    until,
)
from tests.wire.exchange.clocks import RunningClock, StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange

SPY = Symbol("SPY")


def a_bar(minute: int, prices: str, volume: int = 1000, symbol: Symbol = SPY) -> Bar:
    """Open, high, low and close, that many minutes after ten."""
    start = MORNING + timedelta(minutes=minute)
    first, high, low, last = (Price(Decimal(text)) for text in prices.split())
    return Bar(symbol, start, first, high, low, last, Quantity(Decimal(volume)))


def a_quote(second: int, bid: str, ask: str, symbol: Symbol = SPY) -> Quote:
    at, size = MORNING + timedelta(seconds=second), Quantity(Decimal(500))
    return Quote(symbol, at, Price(Decimal(bid)), size, Price(Decimal(ask)), size, Feed.RECORDED)


@pytest.fixture
def exchange() -> Iterator[LoopbackExchange]:
    """Three minutes: 100 to 101, a dip to 98 in which ten shares trade, and 98.90."""
    bars = [
        a_bar(0, "100 101 100 101"),
        a_bar(1, "101 101 98 99", volume=10),
        a_bar(2, "98.90 98.90 98.90 98.90"),
    ]
    with LoopbackExchange(bars=bars, clock=StillClock(MORNING)) as house:
        yield house


def test_an_order_fills_at_the_written_prices(exchange: LoopbackExchange) -> None:
    """EX-05"""
    trading_client(exchange).submit_order(a_market_order("entry"))

    (order,) = exchange.orders()

    assert order.average_price == Decimal("100.01")


async def test_a_thin_minute_fills_in_part(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with trade_updates(exchange) as heard:
        await asyncio.to_thread(trading_client(exchange).submit_order, a_limit_order("entry", "99", quantity="3"))
        exchange.moves_on(60 + 59)
        await until(lambda: heard.events() == ["new", "partial_fill"])

        exchange.moves_on(60)

        await until(lambda: heard.events() == ["new", "partial_fill", "fill"])
        first, last = (message["data"] for message in heard.messages[1:])
        assert [(one["qty"], one["position_qty"], one["order"]["filled_qty"]) for one in (first, last)] == [
            ("1", "1", "1"),
            ("2", "3", "3"),
        ]
        assert first["execution_id"] != last["execution_id"]


async def test_a_written_quote_is_streamed_and_served(exchange: LoopbackExchange) -> None:
    """MD-02"""
    exchange.shows(a_quote(30, "100.40", "100.60"))
    async with market_data(exchange, "SPY") as heard:
        exchange.moves_on(30)
        question = StockLatestQuoteRequest(symbol_or_symbols="SPY")
        quote = (await asyncio.to_thread(data_client(exchange).get_stock_latest_quote, question))["SPY"]

        await until(lambda: heard.of_kind("q"))

        assert (quote["bp"], quote["ap"], quote["t"]) == (100.4, 100.6, "2026-11-19T15:00:30.000000000Z")
        assert (heard.of_kind("q")[0]["bp"], heard.of_kind("q")[0]["ap"]) == (100.4, 100.6)


async def test_a_minute_without_trades_has_no_bar(exchange: LoopbackExchange) -> None:
    """MD-02"""
    exchange.shows(a_bar(4, "99 99 99 99"))
    async with market_data(exchange, "SPY") as heard:
        exchange.moves_on(5 * 60)

        await until(lambda: len(heard.of_kind("b")) == 4)
        assert [bar["t"].to_datetime().minute for bar in heard.of_kind("b")] == [0, 1, 2, 4]


def test_an_unusual_instrument_is_served_and_obeyed() -> None:
    """EX-11"""
    whole = BrokerInstrument(SPY, lots=WHOLE_ONES)
    with LoopbackExchange(
        bars=[a_bar(0, "100 100 100 100")], instruments=[whole], clock=StillClock(MORNING)
    ) as exchange:
        client = trading_client(exchange)

        with pytest.raises(APIError) as refused:
            client.submit_order(a_market_order("entry", quantity="0.5"))

        assert client.get_asset("SPY")["fractionable"] is False
        assert refused.value.code == 42210000


async def test_a_price_reached_over_time_fills_an_order() -> None:
    """EX-05"""
    just_before_the_low = RunningClock(MORNING + timedelta(seconds=19, milliseconds=500))
    with LoopbackExchange(bars=[a_bar(0, "100 101 98 99")], clock=just_before_the_low) as exchange:
        async with trade_updates(exchange) as heard:
            await asyncio.to_thread(trading_client(exchange).submit_order, a_limit_order("entry", "99"))

            await until(lambda: heard.events() == ["new", "fill"])
            assert heard.messages[1]["data"]["price"] == "99"
