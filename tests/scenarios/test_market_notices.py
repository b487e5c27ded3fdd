"""Notices of the market regime and of proposals that wait: who is told, how gravely, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from core.facts import NotificationDue, NotificationSettled
from core.messages.inputs import RegimeArrived
from core.model.notice import NoticeKind, Severity
from core.model.sizing import MarketMeasure, Regime, Trend, VixLevel, VixReading, Volatility
from core.workflows.operator.notification_delivery import CRISIS
from tests.scenarios.house import STEADY, House, a_house_in_a_position, minutes
from tests.scenarios.receivers import PHONE, Receivers, settings, with_receivers
from tests.unit.core.brokers.trading_floor import SPY

WEDNESDAY = date(2026, 11, 18)
MARKET = MarketMeasure(SPY, WEDNESDAY, Trend.UP, Volatility.USUAL, Decimal(4), Decimal(4))
USUAL = Regime(VixReading(Decimal("17.20"), WEDNESDAY, VixLevel.NORMAL), MARKET)
HIGH = Regime(VixReading(Decimal("34.20"), WEDNESDAY, VixLevel.HIGH), MARKET)


def a_house(**notify: object) -> House:
    """VWAP bought after 10:06 and holds."""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:59", STEADY), settings=settings(**notify))
    return with_receivers(house, Receivers())


def measures(house: House, regime: Regime) -> None:
    house.line.take(house.line.at, RegimeArrived(regime))


def told(house: House, kind: NoticeKind) -> list[tuple[Severity, str]]:
    return [(fact.notice.severity, fact.matter) for fact in house.facts(NotificationDue) if fact.notice.kind is kind]


def test_each_change_of_a_label_is_told() -> None:
    """SY-03, RK-19: another figure of the same level is no news"""
    house = a_house()

    measures(house, USUAL)
    measures(house, replace(USUAL, vix=VixReading(Decimal("18.00"), WEDNESDAY, VixLevel.NORMAL)))
    measures(house, HIGH)
    measures(house, replace(HIGH, market=replace(MARKET, volatility=Volatility.WILD)))

    severities = [severity for severity, _ in told(house, NoticeKind.REGIME)]
    assert severities == [Severity.INFO, Severity.WARNING, Severity.WARNING]


def test_a_high_vix_without_a_key_is_urgent() -> None:
    """SY-03, RK-19: 30 minutes after the last key, once, and settled when the level falls"""
    house = a_house()
    measures(house, HIGH)
    begun = house.line.at

    house.until_moment(begun + timedelta(minutes=29, seconds=50))
    assert (Severity.URGENT, CRISIS) not in told(house, NoticeKind.REGIME)
    house.until_moment(begun + timedelta(minutes=31))
    measures(house, replace(HIGH, market=replace(MARKET, trend=Trend.DOWN)))
    house.until("10:50")
    assert told(house, NoticeKind.REGIME).count((Severity.URGENT, CRISIS)) == 1

    fallen = replace(USUAL, vix=VixReading(Decimal("25.00"), date(2026, 11, 19), VixLevel.ELEVATED))
    measures(house, fallen)
    assert [fact.matter for fact in house.facts(NotificationSettled)] == [CRISIS]


def test_a_key_begins_the_half_hour_again() -> None:
    """SY-03, RK-19"""
    house = a_house()
    measures(house, HIGH)
    begun = house.line.at
    house.until_moment(begun + timedelta(minutes=20))
    house.engine.state.sightings.key_at = house.line.at

    house.until_moment(begun + timedelta(minutes=35))

    assert (Severity.URGENT, CRISIS) not in told(house, NoticeKind.REGIME)


def test_nothing_held_is_no_crisis() -> None:
    """SY-03, RK-19"""
    house = House(minutes("09:55", "10:40"), settings()).opens()
    with_receivers(house, Receivers())
    measures(house, HIGH)

    house.until("10:30")

    assert (Severity.URGENT, CRISIS) not in told(house, NoticeKind.REGIME)


def test_only_a_rule_that_names_proposals_takes_them() -> None:
    """SY-03"""
    named = {"proposals": {"channels": [PHONE], "kinds": ["proposal"]}}
    houses = [a_house(rules=rules) for rules in ({"all": {"channels": [PHONE]}}, named)]

    assert [told(house, NoticeKind.PROPOSAL) for house in houses] == [[], [(Severity.INFO, "")]]
