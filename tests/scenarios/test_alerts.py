"""Alerts: kept by the engine, looked at with every quote and minute, rung once, told; nothing is decided by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.facts import AlertDropped, AlertKept, AlertRang, AlertRefused, DesksServed
from core.messages.desk_commands import DropAlert, KeepAlert
from core.messages.inputs import PastArrived, QuoteArrived, TradingHaltHeard
from core.model.alert import MOST, AlertKind, AlertTerms
from core.model.bar import Bar, Feed, Quote
from core.model.reference_data import PastDay, PastDays
from core.model.values import Price, Quantity, Symbol
from core.runtime.reference_data import followed
from core.settings.settings import Settings
from core.trading_state.desks import AwayKind
from core.views.builders.symbols import watch_view
from tests.scenarios.house import House, a_house_in_a_position, a_typed_buy, minutes
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


def rang(house: House) -> list[tuple[Symbol, AlertKind]]:
    return [(fact.alert.terms.symbol, fact.alert.terms.kind) for fact in house.facts(AlertRang)]


def seen(house: House) -> list[str]:
    return [fact.seen for fact in house.facts(AlertRang)]


def test_price_rings_once_at_its_level() -> None:
    """MD-06"""
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    sees(house, "50.89", "50.99")
    assert rang(house) == []
    sees(house, "50.95", "51.05")
    sees(house, "51.95", "52.05")

    assert rang(house) == [(IBM, PRICE)]
    assert seen(house)[0].endswith("51.00")
    assert house.desk.alerts.of(IBM) == ()
    assert house.desk.alerts.state.rung == 1


def test_falling_price_rings_at_a_close() -> None:
    bars = [*minutes("09:30", "10:01", "50", symbol=IBM), *minutes("10:01", "10:10", "47", symbol=IBM)]
    house = a_house([*minutes("09:30", "10:10"), *bars]).until("10:00")
    house.presses(KeepAlert(on(PRICE, "48", is_above=False)))
    house.until("10:01")
    assert rang(house) == []
    house.until("10:05")

    assert rang(house) == [(IBM, PRICE)]
    assert seen(house)[0].endswith("47.00")


def test_change_is_measured_from_the_last_close() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(CHANGE, "0.02")))
    day = PastDay(THURSDAY - timedelta(days=1), Price(Decimal(50)), None)
    house.line.take(house.line.at, PastArrived(PastDays(IBM, (day,))))
    sees(house, "50.89", "50.99")
    assert rang(house) == []
    sees(house, "50.99", "51.03")

    assert rang(house) == [(IBM, CHANGE)]
    assert seen(house)[0].endswith("+2.02 %")


def test_spread_and_volume_ring_at_their_levels() -> None:
    house = a_house().until("10:00")
    traded = sum(bar.volume for bar in minutes("09:30", "10:05", "50", symbol=IBM))
    house.presses(KeepAlert(on(SPREAD, "0.01")))
    house.presses(KeepAlert(on(VOLUME, "1000000000")))
    house.presses(KeepAlert(on(VOLUME, str(traded))))
    sees(house, "49.90", "50.10")
    assert rang(house) == []
    sees(house, "49.00", "51.00")
    assert rang(house) == [(IBM, SPREAD)]
    assert seen(house)[0].endswith(" 4.00 %")
    house.until("10:10")

    assert rang(house) == [(IBM, SPREAD), (IBM, VOLUME)]
    assert [alert.terms.level for alert in house.desk.alerts.of(IBM)] == [Decimal(1_000_000_000)]


def test_fill_rings_until_dropped() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(FILL)))
    house.until("10:00:02").presses(replace(a_typed_buy("0.2", "51", "45"), symbol=IBM))
    house.opens_ticket()
    house.until("10:00:04").confirms()
    house.until("10:05")

    assert rang(house) == [(IBM, FILL)]
    assert seen(house)[0].startswith("buy 0.2 ")
    house.presses(DropAlert(1))
    house.presses(DropAlert(1))
    assert [fact.alert.number for fact in house.facts(AlertDropped)] == [1]


def test_halt_and_its_end_ring(snapshot: SnapshotAssertion) -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(HALT)))
    for is_halted, words in ((True, "News Pending"), (False, "Resumed")):
        house.line.take(house.line.at, TradingHaltHeard(IBM, is_halted, house.line.at, words))

    assert rang(house) == [(IBM, HALT), (IBM, HALT)]
    assert seen(house) == snapshot


def test_alert_survives_a_restart(snapshot: SnapshotAssertion) -> None:
    """MD-06, EX-20"""
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    house.restarted()

    assert followed(house.desk) == (SPY, IBM)
    (row,) = [row for row in watch_view(house.desk, house.line.at).rows if row.symbol == IBM]
    assert row.alerts == snapshot
    sees(house, "51.00", "51.02")
    assert seen(house)[0].endswith("51.01")


def test_absence_lists_what_rang() -> None:
    """RK-27"""
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    house.desk.record(DesksServed())
    sees(house, "51.00", "51.02")

    absence = house.desk.attendance.absence
    assert absence is not None
    assert [(event.kind, event.words) for event in absence.events] == [(AwayKind.ALERT, f"IBM {seen(house)[0]}")]


def test_invalid_alerts_are_refused(snapshot: SnapshotAssertion) -> None:
    house, refused = a_house(), {}
    house.presses(KeepAlert(on(PRICE, "77")))
    house.until("10:00")
    for name, terms in {
        "rings at once": on(PRICE, "49"),
        "no level": on(PRICE),
        "negative": on(PRICE, "-3"),
        "volume below": on(VOLUME, "5", is_above=False),
        "level of fills": on(FILL, "5"),
        "no share": on(PRICE, "60", Symbol("btc/usd")),
        "same": on(PRICE, "77"),
    }.items():
        house.presses(KeepAlert(terms))
        refused[name] = house.last(AlertRefused).reason

    assert len(house.facts(AlertKept)) == 1
    assert len(house.facts(AlertRefused)) == len(refused)
    assert refused == snapshot


def test_only_a_hundred_are_kept() -> None:
    house = a_house().until("10:00")
    for cents in range(MOST + 1):
        house.presses(KeepAlert(on(PRICE, f"60.{cents:03}")))

    assert len(house.desk.alerts.of(IBM)) == MOST
    assert len(house.facts(AlertRefused)) == 1


def test_crossed_quote_rings_nothing() -> None:
    house = a_house().until("10:00")
    house.presses(KeepAlert(on(PRICE, "51")))
    sees(house, "60.00", "50.00")

    assert rang(house) == []


def test_alerts_decide_nothing() -> None:
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
