"""The loopback exchange answers as the broker describes itself, and tells all that the table says is always there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from alpaca.trading.requests import MarketOrderRequest, StopLossRequest, TakeProfitRequest

from core.brokers.alpaca.contract import ACCOUNT, ASSET, CLOCK, DAY, FILL, ORDER, POSITION
from core.market.alpaca.parsing import BAR, BARS, QUOTE, QUOTES
from core.model.api_contract import ApiRecord
from core.model.values import Symbol
from tests.unit.core.brokers.description import faults_in
from tests.wire.clients import a_limit_order, a_market_order, a_stop_order, trading_client
from tests.wire.exchange.server import LoopbackExchange

OFF_THE_PAGE = frozenset({"group_id", "group_role"})
"""What clients found on orders with legs and the description does not have."""


def answered(exchange: LoopbackExchange, path: str, base: str | None = None) -> Any:
    keys = {"APCA-API-KEY-ID": exchange.keys.id, "APCA-API-SECRET-KEY": exchange.keys.secret}
    reply = requests.get(f"{base or exchange.trading_url}{path}", headers=keys, timeout=5)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def busy(exchange: LoopbackExchange) -> LoopbackExchange:
    """Something of each kind: filled, working, cancelled, with legs, of kinds that this desk never sends, and held."""
    client = trading_client(exchange)
    client.submit_order(a_market_order("first"))
    client.submit_order(a_stop_order("stop", "400"))
    gone = client.submit_order(a_limit_order("gone", "400"))
    client.cancel_order_by_id(gone["id"])
    price = exchange.call(lambda: exchange.floor.price(Symbol("SPY")))
    client.submit_order(
        MarketOrderRequest(
            symbol="SPY",
            qty=1,
            side="buy",
            time_in_force="day",
            order_class="bracket",
            stop_loss=StopLossRequest(stop_price=price - 20),
            take_profit=TakeProfitRequest(limit_price=price + 20),
        )
    )
    for fault in ("dollars-elsewhere", "legs-elsewhere", "auction-elsewhere", "option-held"):
        exchange.make(fault, symbol="SPY")
    exchange.moves_on(120)
    return exchange


ONE = (("/v2/account", "Account", ACCOUNT), ("/v2/assets/SPY", "Assets", ASSET), ("/v2/clock", "legacy_clock", CLOCK))
MANY = (
    ("/v2/orders?status=all&nested=true", "Order", ORDER),
    ("/v2/orders?status=all", "Order", ORDER),
    ("/v2/positions", "Position", POSITION),
    ("/v2/account/activities/FILL", "TradingActivities", FILL),
    ("/v2/calendar", "legacy_calendar_day", DAY),
)


@pytest.mark.parametrize(("path", "described", "_table"), [*ONE, *MANY])
def test_trading_answers_match_the_contract(
    busy: LoopbackExchange, path: str, described: str, _table: ApiRecord
) -> None:
    """MD-07: fields, types and words; what was announced to go is told no more."""
    raw = answered(busy, path)
    rows = raw if isinstance(raw, list) else [raw]
    schema = {"$ref": f"#/components/schemas/{described}"}

    assert rows
    faults = [f for row in rows for f in faults_in(row, schema, described, OFF_THE_PAGE) if not _is_of_legs(row, f)]
    assert faults == []


@pytest.mark.parametrize(("path", "_described", "table"), [*ONE, *MANY])
def test_answers_have_every_required_field(
    busy: LoopbackExchange, path: str, _described: str, table: ApiRecord
) -> None:
    """MD-07"""
    raw = answered(busy, path)
    for row in raw if isinstance(raw, list) else [raw]:
        assert [field.name for field in table.fields if field.is_always_there and row.get(field.name) is None] == []


@pytest.mark.parametrize(
    ("path", "described"), [("bars", "stock_bars_resp"), ("quotes/latest", "stock_latest_quotes_resp")]
)
def test_data_answers_match_the_contract(busy: LoopbackExchange, path: str, described: str) -> None:
    """MD-07"""
    start = (busy.clock.now() - timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    raw = answered(busy, f"/v2/stocks/{path}?symbols=SPY&start={start}", busy.data_url)

    assert list(faults_in(raw, {"$ref": f"#/components/schemas/{described}"}, described)) == []
    whole, part = (BARS, BAR) if path == "bars" else (QUOTES, QUOTE)
    row = raw[whole.fields[0].name]["SPY"]
    row = row[0] if isinstance(row, list) else row
    assert {field.name for field in part.fields} <= row.keys()


def _is_of_legs(row: dict[str, Any], fault: str) -> bool:
    """An order of several legs has no symbol, side and class of its own, and says so by empty texts."""
    return row.get("order_class") == "mleg" and "'' is not one of" in fault
