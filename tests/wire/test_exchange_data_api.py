"""The loopback exchange, asked by Alpaca's own market-data client and heard by its own data stream."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgpack
import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from tests.wire.clients import data_client, market_data, running, until
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.hours import moved_hours
from tests.wire.exchange.server import MORNING, LoopbackExchange

FIRST_BAR = MORNING - timedelta(minutes=30)


def bars(exchange: LoopbackExchange, **query: object) -> list[dict[str, object]]:
    terms = {"symbol_or_symbols": "SPY", "timeframe": TimeFrame.Minute, "start": FIRST_BAR, **query}
    return data_client(exchange).get_stock_bars(StockBarsRequest(**terms)).get("SPY", [])


def test_only_complete_bars_are_served(exchange: LoopbackExchange) -> None:
    """MD-03"""
    found = bars(exchange)

    assert len(found) == 30
    assert (found[0]["t"], found[-1]["t"]) == ("2026-11-19T14:30:00Z", "2026-11-19T14:59:00Z")
    assert set(found[0]) == {"t", "o", "h", "l", "c", "v", "n", "vw"}


def test_bars_come_in_pages(exchange: LoopbackExchange) -> None:
    """MD-04"""
    client = data_client(exchange)
    path, terms = "/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "start": FIRST_BAR.isoformat(), "limit": 20}

    first = client.get(path, terms)
    second = client.get(path, {**terms, "page_token": first["next_page_token"]})

    assert [len(page["bars"]["SPY"]) for page in (first, second)] == [20, 10]
    assert second["next_page_token"] is None
    assert first["bars"]["SPY"] + second["bars"]["SPY"] == bars(exchange)


def test_bars_are_aggregated(exchange: LoopbackExchange) -> None:
    """MD-04"""
    minutes = bars(exchange)

    (first, *others) = bars(exchange, timeframe=TimeFrame(5, TimeFrameUnit.Minute))

    assert (first["o"], first["c"]) == (minutes[0]["o"], minutes[4]["c"])
    assert first["v"] == sum(bar["v"] for bar in minutes[:5])
    assert len(others) == 5


def test_a_symbol_without_bars_is_left_out(exchange: LoopbackExchange) -> None:
    """MD-04"""
    terms = StockBarsRequest(symbol_or_symbols=["SPY", "IBM"], timeframe=TimeFrame.Minute, start=FIRST_BAR)

    assert list(data_client(exchange).get_stock_bars(terms)) == ["SPY"]


def test_latest_bar_quote_and_snapshot_are_current(exchange: LoopbackExchange) -> None:
    """MD-04"""
    client = data_client(exchange)

    bar = client.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="SPY"))["SPY"]
    quote = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY"))["SPY"]
    snapshot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))["SPY"]

    assert bar == bars(exchange)[-1] == snapshot["minuteBar"]
    assert quote["bp"] < quote["ap"]
    assert snapshot["latestQuote"] == quote
    assert snapshot["prevDailyBar"]["t"] == "2026-11-18T05:00:00Z"


def test_alpacas_models_read_the_answers(exchange: LoopbackExchange) -> None:
    """MD-01"""
    typed = StockHistoricalDataClient(exchange.keys.id, exchange.keys.secret, url_override=exchange.data_url)
    terms = StockBarsRequest(symbol_or_symbols="SPY", timeframe=TimeFrame.Minute, start=FIRST_BAR)

    assert typed.get_stock_bars(terms)["SPY"][0].timestamp == FIRST_BAR
    assert typed.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))["SPY"].latest_trade.price > 0


def test_null_in_place_of_bars(exchange: LoopbackExchange) -> None:
    """MD-03: the client's own paging falls over it."""
    exchange.make("null-bars", of="bars", times=2)

    answer = data_client(exchange).get("/stocks/bars", {"symbols": "SPY", "start": FIRST_BAR.isoformat()})
    with pytest.raises(TypeError):
        bars(exchange)

    assert answer["bars"] == {"SPY": None}
    assert len(bars(exchange)) == 30


def test_a_question_without_symbols_is_refused(exchange: LoopbackExchange) -> None:
    """MD-04"""
    with pytest.raises(APIError) as refused:
        data_client(exchange).get("/stocks/quotes/latest")

    assert refused.value.status_code == 400


async def test_bars_and_quotes_are_streamed_in_time(exchange: LoopbackExchange) -> None:
    """MD-02"""
    async with market_data(exchange, "SPY") as heard:
        exchange.moves_on(59)
        await until(lambda: heard.of_kind("q"))
        before = heard.of_kind("b")

        exchange.moves_on(1)

        await until(lambda: heard.of_kind("b"))
        (bar,) = heard.of_kind("b")
        assert before == []
        assert set(bar) == {"T", "S", "o", "h", "l", "c", "v", "n", "vw", "t"}
        assert bar["t"] == msgpack.Timestamp.from_datetime(MORNING)
        assert set(heard.of_kind("q")[0]) == {"T", "S", "bx", "bp", "bs", "ax", "ap", "as", "c", "z", "t"}


async def test_alpacas_stream_reads_its_models(exchange: LoopbackExchange) -> None:
    """MD-01"""
    seen = []

    async def see(bar: object) -> None:
        seen.append(bar)

    stream = StockDataStream(exchange.keys.id, exchange.keys.secret, url_override=exchange.data_stream_url)
    stream.subscribe_bars(see, "*")
    async with running(stream, lambda: exchange.data["iex"].is_listened_to):
        exchange.moves_on(60)

        await until(lambda: seen)

    assert seen[0].timestamp == datetime(2026, 11, 19, 15, 0, tzinfo=UTC)


async def test_each_feed_has_its_endpoint(exchange: LoopbackExchange) -> None:
    """MD-02"""
    async with market_data(exchange, "SPY") as iex, market_data(exchange, "SPY", feed="sip") as sip:
        exchange.moves_on(60)

        await until(lambda: iex.of_kind("b") and sip.of_kind("b"))


def test_a_day_of_25_hours_is_one_bar() -> None:
    """RK-10: of its twenty-five hours the last is a day behind its midnight"""
    evening = datetime(2026, 11, 3, 23, 45, tzinfo=UTC)
    hours = moved_hours(evening, time(10, 5))
    with LoopbackExchange(clock=StillClock(evening), calendar=hours) as exchange:
        found = bars(exchange, timeframe=TimeFrame.Day, start=evening - timedelta(days=4))

    days = [str(bar["t"])[:10] for bar in found]
    assert days == sorted(set(days))
    assert "2026-11-01" in days
