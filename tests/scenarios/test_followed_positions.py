"""Positions in symbols that the settings do not name: they are followed, and a stop that this desk watches acts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.model.instrument import AssetClass, BrokerInstrument
from core.model.order import Effect, OrderRequest, OrderType, Side, StopHolder
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.runtime.reference_data import followed
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.unit.core.brokers.trading_floor import IBM, SPY

pytestmark = pytest.mark.usefixtures("timeline")

QQQ = Symbol("QQQ")
TYPED = replace(
    a_typed_buy("0.4", None),
    symbol=IBM,
    stop_price=Price(Decimal(97)),
    stop_holder=StopHolder.DESK,
    type=OrderType.MARKET,
)


def settings(*symbols: str, **terms: object) -> Settings:
    halt = {"protections": {"volatility_halt": terms}} if terms else {}
    return Settings.model_validate({"symbols": list(symbols), "risk": halt})


def a_desk_of(*symbols: str, **terms: object) -> House:
    bars = [*minutes("09:55", "10:06"), *minutes("10:07", "10:30")]
    ibm = [*minutes("09:55", "10:06", symbol=IBM), *minutes("10:07", "10:30", "96", symbol=IBM)]
    every = sorted([*bars, *ibm], key=lambda bar: bar.start)
    return House(every, settings(*symbols, **terms)).opens()


def test_the_halts_market_is_followed() -> None:
    """RK-08: after the settings' own; not where the halt is off."""
    assert followed(a_desk_of("IBM").desk) == (IBM, SPY)
    assert followed(a_desk_of("SPY", "IBM").desk) == (SPY, IBM)
    assert followed(a_desk_of("IBM", market="QQQ").desk) == (IBM, QQQ)
    assert followed(a_desk_of("IBM", enabled=False).desk) == (IBM,)


def test_brokers_positions_are_followed() -> None:
    """EX-09: shares alone; no option and no coin has quotes of shares."""
    house = a_desk_of("IBM")
    held = ("QQQ", "BRK.B", "BTCUSD", "BTC/USD", "AAPL261120C00300000")
    house.desk.sightings.held_by_the_broker = {Symbol(symbol): Quantity(Decimal(1)) for symbol in held}

    assert followed(house.desk) == ("BRK.B", "QQQ", IBM, SPY)


def test_the_brokers_list_says_what_is_a_share() -> None:
    """EX-09, MD-07"""
    house = a_desk_of("IBM")
    for symbol, kind in (("GOLD", AssetClass.CRYPTO), ("BAC.PR.L", AssetClass.STOCK)):
        house.desk.sightings.instruments[Symbol(symbol)] = BrokerInstrument(Symbol(symbol), asset_class=kind)
    house.desk.sightings.held_by_the_broker = dict.fromkeys(
        (Symbol("GOLD"), Symbol("BAC.PR.L"), Symbol("QQQ")), Quantity(Decimal(1))
    )

    assert followed(house.desk) == ("BAC.PR.L", "QQQ", IBM, SPY)


def test_a_watched_stop_acts_in_any_symbol() -> None:
    """EX-13, ST-09"""
    house = a_desk_of("SPY", "IBM").until("10:05")
    house.presses(TYPED)
    house.opens_ticket()
    house.until("10:05:02").confirms()
    house.until("10:05:30")
    house.settings = settings("SPY")
    house.restarted()
    assert followed(house.desk) == (IBM, SPY)

    house.until("10:08")

    (proposal,) = house.desk.stage.proposals()
    assert (proposal.order.symbol, proposal.exit_reason) == (IBM, ExitReason.STOP_LOSS)


def test_a_live_desk_follows_its_positions() -> None:
    """RK-08, EX-13: from the agreement of the books on, and it stays."""
    floor = LiveFloor("10:05:00", minutes("09:30", "10:30") + minutes("09:30", "10:30", symbol=IBM))
    floor.bars.sort(key=lambda bar: bar.start)
    with floor.lock:
        bought = OrderRequest(
            ClientOrderId("elsewhere"), IBM, Side.BUY, Effect.OPEN, Quantity(Decimal(1)), OrderType.MARKET
        )
        floor.moved().submit(floor.now(), bought)
    with LiveHouse(floor) as house:
        house.waits(lambda _: IBM in floor.market.followed, "it is followed")

    assert floor.market.followed[:2] == (IBM, SPY)
