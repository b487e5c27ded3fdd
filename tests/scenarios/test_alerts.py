"""Alerts: kept by the engine, looked at with every quote and minute, rung once, told; nothing is decided by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import AlertDropped, AlertKept, AlertRang, AlertRefused, DesksServed
from core.messages.commands import DropAlert, KeepAlert
from core.messages.inputs import PastArrived, QuoteArrived, TradingHaltHeard
from core.model.alert import MOST, AlertKind, AlertTerms
from core.model.bar import Bar
from core.model.past_days import PastDay, PastDays
from core.model.quote import Feed, Quote
from core.model.values import Price, Quantity, Symbol
from core.runtime.followed_symbols import followed
from core.settings.settings import Settings
from core.trading_state.attendance import AwayKind
from core.views.builders.watch import watch_view
from tests.scenarios.house import House, a_house_in_a_position, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY

PRICE, CHANGE, SPREAD, VOLUME = AlertKind.PRICE, AlertKind.CHANGE, AlertKind.SPREAD, AlertKind.VOLUME
FILL, HALT = AlertKind.FILL, AlertKind.HALT
SPIKE = ("10:01", "10:02")


def a_house(bars: list[Bar] | None = None) -> House:
    """SPY is traded; IBM stands at 50."""
    bars = bars or [*minutes("09:30", "10:20"), *minutes("09:30", "10:20", "50", symbol=IBM)]
    return House(sorted(bars, key=lambda bar: bar.start), Settings.model_validate({"symbols": ["SPY"]})).opens()


def on(kind: AlertKind, level: str | None = None, symbol: Symbol = IBM, *, is_above: bool = True) -> AlertTerms:
    return AlertTerms(symbol, kind, None if level is None else Decimal(level), is_above)


def sees(house: House, bid: str, ask: str, symbol: Symbol = IBM) -> None:
    size = Decimal(100)
    at = house.line.at
    house.line.take(
        at,
        QuoteArrived(
            Quote(symbol, at, Price(Decimal(bid)), Quantity(size), Price(Decimal(ask)), Quantity(size), Feed.IEX)
        ),
    )


def rang(house: House) -> list[str]:
    return [f"{fact.alert.terms.symbol} {fact.seen}" for fact in house.facts(AlertRang)]


def test_a_price_rings_once_when_it_comes_to_its_level_and_is_over_with_it() -> None:
    """MD-06"""
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    sees(house, "50.89", "50.99")
    assert rang(house) == []
    sees(house, "50.95", "51.05")
    sees(house, "51.95", "52.05")

    assert rang(house) == ["IBM price is 51.00"]
    assert house.desk.alerts.of(IBM) == ()
    assert house.desk.alerts.state.rung == 1
    assert_can_be_rebuilt(house)


def test_a_price_below_rings_at_a_minute_s_close_too() -> None:
    bars = [*minutes("09:30", "10:01", "50", symbol=IBM), *minutes("10:01", "10:10", "47", symbol=IBM)]
    house = a_house([*minutes("09:30", "10:10"), *bars]).until("10:00")
    house.presses(KeepAlert(on(PRICE, "48", is_above=False)))
    house.until("10:01")
    assert rang(house) == []
    house.until("10:05")

    assert rang(house) == ["IBM price is 47.00"]


def test_a_change_is_measured_from_the_close_before() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(CHANGE, "0.02")))
    day = PastDay(THURSDAY - timedelta(days=1), Price(Decimal(50)), None)
    house.line.take(house.line.at, PastArrived(PastDays(IBM, (day,))))
    sees(house, "50.89", "50.99")
    assert rang(house) == []
    sees(house, "50.99", "51.03")

    assert rang(house) == ["IBM change is +2.02 %"]


def test_a_spread_and_a_volume_ring_at_their_levels() -> None:
    house = a_house().until("10:00")
    traded = sum(bar.volume for bar in minutes("09:30", "10:05", "50", symbol=IBM))
    house.presses(KeepAlert(on(SPREAD, "0.01")))
    house.presses(KeepAlert(on(VOLUME, "1000000000")))
    house.presses(KeepAlert(on(VOLUME, str(traded))))
    sees(house, "49.90", "50.10")
    assert rang(house) == []
    sees(house, "49.00", "51.00")
    assert rang(house) == ["IBM spread is 4.00 %"]
    house.until("10:10")

    assert len(rang(house)) == 2
    assert "volume" in rang(house)[1]
    assert [alert.terms.level for alert in house.desk.alerts.of(IBM)] == [Decimal(1_000_000_000)]


def test_a_fill_rings_each_time_until_it_is_dropped() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(FILL)))
    house.until("10:00:02").presses(replace(a_typed_buy("0.2", "51", "45"), symbol=IBM))
    house.opens_ticket()
    house.until("10:00:04").confirms()
    house.until("10:05")

    assert [words.split(" filled")[0] for words in rang(house)] == ["IBM buy 0.2"]
    house.presses(DropAlert(1))
    house.presses(DropAlert(1))
    assert [fact.alert.number for fact in house.facts(AlertDropped)] == [1]
    assert_can_be_rebuilt(house)


def test_a_halt_rings_and_so_does_its_end() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(HALT)))
    for is_halted, words in ((True, "News Pending"), (False, "Resumed")):
        house.line.take(house.line.at, TradingHaltHeard(IBM, is_halted, house.line.at, words))

    assert rang(house) == ["IBM halted by its exchange: News Pending", "IBM trades again: Resumed"]


def test_an_alert_outlives_a_restart_and_its_symbol_is_followed() -> None:
    """MD-06, EX-20"""
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    house.restarted()

    assert followed(house.desk) == (SPY, IBM)
    (row,) = [row for row in watch_view(house.desk, house.line.at).rows if row.symbol == IBM]
    assert row.alerts == ("price at 51.00 or above",)
    sees(house, "51.00", "51.02")
    assert rang(house) == ["IBM price is 51.01"]
    assert_can_be_rebuilt(house)


def test_what_rings_while_nobody_is_at_a_desk_is_told_to_who_comes_back() -> None:
    """RK-27"""
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    house.desk.record(DesksServed())
    sees(house, "51.00", "51.02")

    absence = house.desk.attendance.absence
    assert absence is not None
    assert [(event.kind, event.words) for event in absence.events] == [(AwayKind.ALERT, "IBM price is 51.01")]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (on(PRICE, "49"), "price is 50.00: it would ring at once"),
        (on(PRICE), "a price alert needs a level"),
        (on(PRICE, "-3"), "a price above zero"),
        (on(VOLUME, "5", is_above=False), "rings above its level"),
        (on(FILL, "5"), "an alert on each fill has no level"),
        (on(PRICE, "60", Symbol("btc/usd")), "is not how a share is written"),
        (on(PRICE, "77"), "there is one like it already"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(terms: AlertTerms, reason: str) -> None:
    house = a_house()
    house.presses(KeepAlert(on(PRICE, "77")))
    house.until("10:00").presses(KeepAlert(terms))

    assert reason in house.last(AlertRefused).reason
    assert len(house.facts(AlertKept)) == 1


def test_there_is_room_for_a_hundred() -> None:
    house = a_house().until("10:00")
    for cents in range(MOST + 1):
        house.presses(KeepAlert(on(PRICE, f"60.{cents:03}")))

    assert len(house.desk.alerts.of(IBM)) == MOST
    assert "drop one first" in house.last(AlertRefused).reason


def test_a_quote_that_cannot_be_believed_rings_nothing() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    sees(house, "60.00", "50.00")

    assert rang(house) == []


def test_nothing_is_decided_by_an_alert() -> None:
    """OP-01: a position, its stop and what waits are the same with one that rings as without."""
    plain, alerted = a_house_in_a_position(), a_house_in_a_position()
    alerted.presses(KeepAlert(on(PRICE, "1", SPY)))
    alerted.presses(KeepAlert(on(FILL, None, SPY)))
    for house in (plain, alerted):
        house.until("10:20")

    kinds = [
        [type(record.fact).__name__ for record in house.journal.records() if "Alert" not in type(record.fact).__name__]
        for house in (plain, alerted)
    ]
    assert kinds[0] == kinds[1]
