"""The broker's list of assets, asked for by the real client and searched (MD-06)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from syrupy.assertion import SnapshotAssertion

from core.market.calendar import load_calendar
from core.model.broker import NoAnswer
from core.runtime.reference_data import AssetWatch
from tests.wire.desk_side import Waits, a_desk_broker
from tests.wire.exchange.server import LoopbackExchange

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
CALENDAR = load_calendar(date(2026, 2, 2), date(2026, 3, 31))


def test_the_list_has_symbol_name_and_exchange(exchange: LoopbackExchange, snapshot: SnapshotAssertion) -> None:
    told = a_desk_broker(exchange).assets()

    assert not isinstance(told, NoAnswer)
    spy = next(asset for asset in told if asset.symbol == "SPY")
    assert (spy.name, spy.exchange) == snapshot
    assert len(exchange.received("GET", "/v2/assets")) == 1


def test_the_list_is_fetched_once_a_trading_day(exchange: LoopbackExchange) -> None:
    now = [MONDAY]
    watch = AssetWatch(a_desk_broker(exchange).assets, CALENDAR, lambda: now[0])

    assert not watch.book.search("spy").is_listed
    assert watch.look()
    assert [asset.symbol for asset in watch.book.search("loopback spy").matches] == ["SPY"]
    assert watch.has_todays()
    now[0] += timedelta(days=1)
    assert not watch.has_todays()


def test_a_failed_fetch_keeps_the_last_list(exchange: LoopbackExchange) -> None:
    watch = AssetWatch(a_desk_broker(exchange, Waits()).assets, CALENDAR, lambda: MONDAY)
    watch.look()
    exchange.make("asset-unreadable")

    assert not watch.look()

    assert watch.book.search("SPY").matches
