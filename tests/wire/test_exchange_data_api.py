"""The loopback exchange, asked by Alpaca's own market-data client and heard by its own data stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import (
    StockBarsRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame

from tests.wire.clients import data_client, running, until
from tests.wire.exchange.server import MORNING, LoopbackExchange

FIRST_BAR = MORNING - timedelta(minutes=30)


def bars(exchange: LoopbackExchange, **query: object) -> list[dict[str, object]]:
    terms = {"symbol_or_symbols": "SPY", "timeframe": TimeFrame.Minute, "start": FIRST_BAR, **query}
    return data_client(exchange).get_stock_bars(StockBarsRequest(**terms)).get("SPY", [])


def test_bars_come_in_pages(exchange: LoopbackExchange) -> None:
    """MD-04"""
    client = data_client(exchange)
    path, terms = "/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "start": FIRST_BAR.isoformat(), "limit": 20}

    first = client.get(path, terms)
    second = client.get(path, {**terms, "page_token": first["next_page_token"]})

    assert [len(page["bars"]["SPY"]) for page in (first, second)] == [20, 10]
    assert second["next_page_token"] is None
    assert first["bars"]["SPY"] + second["bars"]["SPY"] == bars(exchange)


def test_alpacas_models_read_the_answers(exchange: LoopbackExchange) -> None:
    """MD-01"""
    typed = StockHistoricalDataClient(exchange.keys.id, exchange.keys.secret, url_override=exchange.data_url)
    terms = StockBarsRequest(symbol_or_symbols="SPY", timeframe=TimeFrame.Minute, start=FIRST_BAR)

    assert typed.get_stock_bars(terms)["SPY"][0].timestamp == FIRST_BAR
    assert typed.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))["SPY"].latest_trade.price > 0


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
