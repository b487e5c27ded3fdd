"""The regime of a desk at the loopback exchange: daily bars by its data service, the VIX by a source of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from core.market.alpaca.data import AlpacaData
from core.market.port import MarketDataError
from core.market.vix import NewestVix, VixInTheDay, VixService
from core.market.vix_source import HttpVixQuote, HttpVixSource
from core.model.bar import Bar
from core.model.sizing import DailyBar, DailyValue, MarketMeasure, NoMarket, Trend, VixLevel, VixReading, Volatility
from core.model.values import Price, Quantity, Symbol
from core.runtime.market_history import NOT_ASKED, RegimeWatch
from core.settings.orders import AlpacaSettings
from core.settings.risk import RegimeSettings
from state.home_files import VixFile
from tests.scenarios.house import a_day
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.unit.core.market.vix.source import Source, a_quote
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.hours import Hours
from tests.wire.exchange.server import MORNING, LoopbackExchange

SPY = Symbol("SPY")
NEW_YORK = ZoneInfo("America/New_York")
THURSDAY = MORNING.astimezone(NEW_YORK).date()


def a_session(day: date, low: str, high: str) -> list[Bar]:
    """Its first and its last minute."""
    noon, end = (datetime.combine(day, time(*clock), NEW_YORK) for clock in ((9, 30), (15, 59)))
    bottom, top = Price(Decimal(low)), Price(Decimal(high))
    return [
        Bar(SPY, noon, bottom, top, bottom, top, Quantity(Decimal(1000))),
        Bar(SPY, end, top, top, bottom, bottom, Quantity(Decimal(1000))),
    ]


def sessions(count: int, low: str = "99", high: str = "101") -> list[Bar]:
    """Weekdays before Thursday, over the change to winter time, and Thursday's own first minutes."""
    days = (THURSDAY - timedelta(days=n) for n in range(count * 2))
    chosen = sorted([day for day in days if day.weekday() < 5][: count + 1])
    return [bar for day in chosen for bar in a_session(day, low, high)]


@pytest.fixture
def exchange() -> Iterator[LoopbackExchange]:
    with LoopbackExchange(clock=StillClock(MORNING), bars=sessions(260)) as house:
        yield house


def the_data(exchange: LoopbackExchange) -> AlpacaData:
    settings = AlpacaSettings(data_url=exchange.data_url, data_stream_url=exchange.data_stream_url)
    secrets = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    return AlpacaData(settings, *secrets, [SPY], Hours(), now=exchange.clock.now, chance=lambda: 0.0)


def a_watch(exchange: LoopbackExchange, vix: NewestVix | None = None) -> RegimeWatch:
    data = the_data(exchange)
    return RegimeWatch(vix, lambda: data.daily_bars(SPY), exchange.clock.now)


def test_daily_bars_have_new_york_days(exchange: LoopbackExchange) -> None:
    """RK-19: today's own goes on changing, and is left out; winter time moves no bar to another day."""
    bars = the_data(exchange).daily_bars(SPY)

    low, high = Price(Decimal(99)), Price(Decimal(101))
    assert len(bars) == 260
    assert replace(bars[-1], volume=None) == DailyBar(THURSDAY - timedelta(days=1), high, low, low)
    assert {bar.volume for bar in bars} == {Quantity(Decimal(2000))}
    assert all(bar.day.weekday() < 5 for bar in bars)
    (request,) = exchange.received("GET", "/v2/stocks/bars")
    assert "timeframe=1Day" in str(request)


def test_a_quiet_year_has_known_labels(exchange: LoopbackExchange) -> None:
    """RK-19, RK-12"""
    market = a_watch(exchange).measure().market

    assert isinstance(market, MarketMeasure)
    assert (market.trend, market.volatility, market.atr_ratio) == (Trend.SIDEWAYS, Volatility.USUAL, 1)
    assert market.bars_to == THURSDAY - timedelta(days=1)


def test_the_history_is_fetched_once_a_day(exchange: LoopbackExchange) -> None:
    """RK-19, EX-17"""
    watch = a_watch(exchange)

    first, second = watch.measure(), watch.measure()

    assert first == second
    assert first.vix == NOT_ASKED
    assert len(exchange.received("GET", "/v2/stocks/bars")) == 1


def test_a_failed_history_is_fetched_again(snapshot: SnapshotAssertion) -> None:
    """RK-19: never an invented one."""
    with LoopbackExchange(clock=StillClock(MORNING), bars=sessions(80)) as exchange:
        data = the_data(exchange)
        answers = iter([MarketDataError("Alpaca's data service has an error on its side (503)")])

        def daily_bars() -> list[DailyBar]:
            for error in answers:
                raise error
            return data.daily_bars(SPY)

        watch = RegimeWatch(None, daily_bars, exchange.clock.now)
        failed, then = watch.measure(), watch.measure()

    assert isinstance(failed.market, NoMarket)
    assert failed.market == snapshot
    assert isinstance(then.market, MarketMeasure)


def test_a_live_desk_knows_the_regime(exchange: LoopbackExchange, tmp_path: Path) -> None:
    """RK-19: measured by a thread of its own, recorded, and on the desk."""
    floor = LiveFloor("10:00", a_day())
    with Source("DATE,CLOSE\n11/18/2026,34.20\n") as source:
        terms = RegimeSettings(vix_url=source.url)
        vix = VixService(HttpVixSource(terms), VixFile(tmp_path / "home" / "vix.json", floor.now), floor.now)
        house = LiveHouse(floor, regime=a_watch(exchange, vix))
        with house:
            house.waits(lambda view: any("VIX 34.20 of 2026-11-18, high" in line.text for line in view.log), "the VIX")

    regime = house.engine.state.regime.regime
    closes = (DailyValue(date(2026, 11, 18), Decimal("34.20")),)
    assert regime.vix == VixReading(Decimal("34.20"), date(2026, 11, 18), VixLevel.HIGH, closes)
    assert isinstance(regime.market, MarketMeasure)


def test_a_live_desk_counts_the_value_in_the_day(exchange: LoopbackExchange, tmp_path: Path) -> None:
    """RK-19: over the close of the day before, with its time"""
    floor = LiveFloor("10:00", a_day())
    with Source("DATE,CLOSE\n11/18/2026,17.31\n") as closes, Source(a_quote("34.2", "2026-11-19T09:45:00")) as quotes:
        terms = RegimeSettings(vix_url=closes.url, vix_now_url=quotes.url)
        of_closes = VixService(HttpVixSource(terms), VixFile(tmp_path / "home" / "vix.json", floor.now), floor.now)
        of_quotes = VixService(HttpVixQuote(terms), VixFile(tmp_path / "home" / "now.json", floor.now), floor.now)
        house = LiveHouse(floor, regime=a_watch(exchange, VixInTheDay(of_closes, of_quotes)))
        with house:
            house.waits(lambda view: any("VIX 34.20 of 2026-11-19 09:45" in line.text for line in view.log), "the VIX")

    closes_known = (DailyValue(date(2026, 11, 18), Decimal("17.31")),)
    measured_at = datetime(2026, 11, 19, 9, 45, tzinfo=NEW_YORK).astimezone(UTC)
    found = house.engine.state.regime.regime.vix
    assert found == VixReading(Decimal("34.20"), date(2026, 11, 19), VixLevel.HIGH, closes_known, measured_at)
