"""The VIX in the day at the desk: the size, the warning and the call of a person follow it within its delay.

The crisis day has the open, low, high and close of 5 February 2018 (18.44, 16.80, 38.80, 37.32 after a close of 17.31)
on the desk's own Thursday. Its minutes are made: straight lines through these four, the low at 10:30 and the high at
15:00.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeGuard

import pytest

from core.event_text import in_words
from core.facts import NotificationDue, RegimeMeasured, VixMeasured
from core.market.vix import QUOTE_FRESH_FOR, VixInTheDay, VixService, quote_lasts
from core.market.vix_source import HttpVixQuote, HttpVixSource
from core.messages.inputs import RegimeArrived
from core.model.notice import NoticeKind, Severity
from core.model.sizing import UNKNOWN, DailyValue, NoVix, VixLevel, VixReading
from core.model.staging import CheckResult
from core.model.values import Money, Price
from core.risk.regime import in_words as regime_in_words
from core.risk.sizing import WantedEntry, size_of
from core.runtime.market_history import RegimeWatch
from core.settings.risk import RegimeSettings
from core.views.builders.desk import ViewBuilder
from state.home_files import VixFile
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, assert_can_be_rebuilt, at
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.unit.core.brokers.trading_floor import NEW_YORK, SPY, THURSDAY
from tests.unit.core.market.vix.source import Source, a_quote

WEDNESDAY = date(2026, 11, 18)
CLOSE = DailyValue(WEDNESDAY, Decimal("17.31"))
CALM = VixReading(CLOSE.value, WEDNESDAY, VixLevel.NORMAL, (CLOSE,))
DELAY = timedelta(minutes=15)
DAY = [("09:30", "18.44"), ("10:30", "16.80"), ("15:00", "38.80"), ("16:15", "37.32")]


def value_at(moment: datetime) -> Decimal:
    """The made minute of the crisis day."""
    for (begin, low), (end, high) in pairwise(DAY):
        if at(begin) <= moment <= at(end):
            way = Decimal((moment - at(begin)) / (at(end) - at(begin)))
            return Decimal(low) + (Decimal(high) - Decimal(low)) * way
    raise AssertionError(moment)


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%H:%M}"


def is_of_the_regime(fact: object) -> TypeGuard[NotificationDue]:
    return isinstance(fact, NotificationDue) and fact.notice.kind is NoticeKind.REGIME


class Wire:
    """Both sources on this machine, as the desk asks them; its clock is the house's."""

    def __init__(self, house: House, closes: Source, quotes: Source, folder: Path) -> None:
        terms = RegimeSettings(vix_url=closes.url, vix_now_url=quotes.url)
        now = lambda: house.line.at  # noqa: E731 - as it goes on
        of_closes = VixService(HttpVixSource(terms), VixFile(folder / "vix.json", now), now)
        of_quotes = VixService(HttpVixQuote(terms), VixFile(folder / "vix-now.json", now), now, quote_lasts)
        self.house, self.quotes = house, quotes
        self.watch = RegimeWatch(VixInTheDay(of_closes, of_quotes), lambda: [], now)

    def measures(self, begin: str, end: str) -> Iterator[tuple[str, str, str, str]]:
        """Yield each answer's clock, value, level and size.

        The source has each minute a quarter of an hour later, and the desk asks every two minutes.
        """
        self.house.until(begin)
        while self.house.line.at < at(end):
            now = self.house.line.at
            seen = (now - DELAY).replace(second=0, microsecond=0)
            self.quotes.body = a_quote(f"{value_at(seen):.2f}", f"{seen.astimezone(NEW_YORK):%Y-%m-%dT%H:%M:%S}")
            self.house.line.take(now, RegimeArrived(self.watch.measure()))
            vix = self.house.desk.regime.regime.vix
            assert isinstance(vix, VixReading)
            yield clock(now), str(vix.value), vix.level.value, shares(self.house)
            self.house.until_moment(now + QUOTE_FRESH_FOR)


@pytest.fixture
def sources() -> Iterator[tuple[Source, Source]]:
    with Source("DATE,CLOSE\n11/17/2026,13.47\n11/18/2026,17.31\n") as closes, Source(status=503) as quotes:
        yield closes, quotes


def measures(house: House, vix: VixReading | NoVix) -> None:
    house.line.take(house.line.at, RegimeArrived(replace(UNKNOWN, vix=vix)))


def a_value(value: str, clock: str, closes: tuple[DailyValue, ...] = (CLOSE,)) -> VixReading:
    """As it comes from the source: its level is the desk's to find."""
    return VixReading(Decimal(value), at(clock).date(), VixLevel.LOW, closes, at(clock))


def a_calm_house() -> House:
    house = House(a_day(("10:06", "10:59", STEADY))).opens().until("10:00")
    measures(house, CALM)
    return house


def level(house: House) -> VixLevel:
    vix = house.desk.regime.regime.vix
    assert isinstance(vix, VixReading)
    return vix.level


def shares(house: House) -> str:
    """What 100 USD of risk buys at a stop 1 USD away."""
    conditions = house.desk.sizing.conditions(SPY, "manual", held=(), equity=None, open_losses=Decimal(0))
    conditions = replace(conditions, atr=None, throttle=None)
    wanted = WantedEntry(Money(Decimal(100)), Price(Decimal(100)), Decimal(1), Money(Decimal(10**6)), Decimal(1))
    return str(size_of(wanted, conditions).quantity)


def test_a_crisis_day_is_met_at_its_minute(sources: tuple[Source, Source], tmp_path: Path) -> None:
    """RK-19, RK-10, SY-03: over 20 at 11:10 and over 30 at 13:13, known a quarter of an hour and two minutes later

    The person is called half an hour after the warning.
    """
    house = a_house_in_a_position(("10:06", "14:10", STEADY), settings=settings())
    wire = Wire(with_receivers(house, Receivers()), *sources, tmp_path)
    sources[1].status = 200

    spans = (("11:20", "11:30"), ("13:20", "13:32"), ("13:56", "14:00"))
    seen = [step for begin, end in spans for step in wire.measures(begin, end)]

    steps = [seen[0], *(after for before, after in pairwise(seen) if before[2:] != after[2:])]
    assert steps == [
        ("11:20", "19.65", "normal", "100"),
        ("11:26", "20.14", "elevated", "70"),
        ("13:28", "30.08", "high", "50"),
    ]
    told = [(clock(r.at), r.fact.notice.severity) for r in house.journal.records() if is_of_the_regime(r.fact)]
    assert told == [
        ("11:20", Severity.INFO), ("11:26", Severity.INFO), ("13:28", Severity.WARNING), ("13:58", Severity.URGENT),
    ]  # fmt: skip
    assert_can_be_rebuilt(house)


def test_by_closes_alone_a_crisis_comes_a_day_late(sources: tuple[Source, Source], tmp_path: Path) -> None:
    """RK-19: the source of quotes fails all day"""
    house = a_house_in_a_position(("10:06", "14:10", STEADY), settings=settings())
    wire = Wire(with_receivers(house, Receivers()), *sources, tmp_path)

    seen = [step for begin, end in (("11:20", "11:30"), ("13:20", "13:32")) for step in wire.measures(begin, end)]
    house.until("14:00")

    assert {step[1:] for step in seen} == {("17.31", "normal", "100")}
    assert [r.fact.notice.severity for r in house.journal.records() if is_of_the_regime(r.fact)] == [Severity.INFO]


def test_a_value_in_the_day_does_not_flap() -> None:
    """RK-19: it falls a point under its border, as closes do"""
    house, found = a_calm_house(), []
    for minute, value in enumerate(("29.90", "30.10", "29.90", "29.20", "29.00", "30.10")):
        measures(house, a_value(value, f"10:0{minute}"))
        found.append(level(house).value)

    assert found == ["elevated", "high", "high", "high", "elevated", "high"]
    assert_can_be_rebuilt(house)


def test_only_another_level_is_logged() -> None:
    """RK-19: a later value of the same level is a fact of its own, and no line of the log"""
    house = a_calm_house()
    for minute in range(5):
        measures(house, a_value(f"31.{minute}", f"10:0{minute}"))

    rows = [row.text for row in ViewBuilder(house.engine).draw(house.line.at).log if row.kind == "regime"]
    assert len(house.facts(RegimeMeasured)) == 2
    assert [str(fact.value) for fact in house.facts(VixMeasured)] == ["31.1", "31.2", "31.3", "31.4"]
    assert in_words(house.last(VixMeasured)).startswith("VIX 31.40 at 10:04")
    assert len(rows) == 2


def test_a_restart_keeps_the_last_value_in_the_day() -> None:
    """RK-19, SP-03"""
    house = a_calm_house()
    measures(house, a_value("31.00", "10:00"))
    measures(house, a_value("32.50", "10:02"))
    before = house.desk.regime.regime

    house = house.restarted()

    assert house.desk.regime.regime == before
    assert regime_in_words(before).startswith("VIX 32.50 of 2026-11-19 10:02")
    assert_can_be_rebuilt(house)


def test_the_close_of_its_day_replaces_a_value() -> None:
    """RK-19: at the level of the closes; an earlier close does not"""
    house = a_calm_house()
    value = a_value("31.00", "10:00")
    measures(house, value)
    measures(house, CALM)
    kept = house.desk.regime.regime.vix
    closes = (CLOSE, DailyValue(THURSDAY, Decimal("29.50")))
    measures(house, VixReading(Decimal("29.50"), THURSDAY, VixLevel.ELEVATED, closes))

    assert kept == replace(value, level=VixLevel.HIGH)
    assert level(house) is VixLevel.ELEVATED
    measures(house, a_value("45.00", "15:59", closes))
    assert level(house) is VixLevel.ELEVATED


def test_a_late_close_reaches_the_rules_by_day() -> None:
    """RK-19, ST-10: rules by day take closes alone, also while a value in the day counts"""
    house = House(a_day(("10:06", "10:59", STEADY))).opens().until("10:00")
    earlier = DailyValue(date(2026, 11, 17), Decimal("13.47"))
    measures(house, a_value("45.00", "10:00", ()))
    without = list(house.desk.evaluation.state.vix)
    measures(house, a_value("46.00", "10:02", (earlier,)))
    measures(house, replace(CALM, closes=(earlier, CLOSE)))

    assert without == []
    assert house.desk.evaluation.state.vix == [(close.day, close.value) for close in (earlier, CLOSE)]
    assert house.desk.regime.regime.vix == replace(a_value("46.00", "10:02", (earlier, CLOSE)), level=VixLevel.HIGH)


def test_outside_regular_hours_no_value_lowers_the_level() -> None:
    """RK-19: few trade then; it may raise the level"""
    house = a_calm_house()
    measures(house, a_value("31.00", "10:00"))
    tomorrow = date(2026, 11, 20)
    found = []
    for value, moment in (("18.00", "04:00"), ("36.00", "08:00"), ("18.00", "09:29"), ("18.00", "09:30")):
        measures(house, VixReading(Decimal(value), tomorrow, VixLevel.LOW, (CLOSE,), at(moment, tomorrow)))
        vix = house.desk.regime.regime.vix
        found.append((str(vix.value), vix.level.value) if isinstance(vix, VixReading) else ())

    assert found == [("31.00", "high"), ("36.00", "high"), ("36.00", "high"), ("18.00", "normal")]


def test_its_age_is_on_the_ticket_and_in_the_pane() -> None:
    """RK-19, RK-09"""
    house = a_calm_house()
    measures(house, a_value("34.20", "09:45"))
    rows = {row.key: row for row in ViewBuilder(house.engine).draw(at("10:02")).protections}
    late = {row.key: row for row in ViewBuilder(house.engine).draw(at("12:45")).protections}
    house.until("10:06").opens_ticket()
    house.until("10:06:02")
    (verdict,) = (v for v in house.ticket.review.verdicts if v.check == "vix")

    assert rows["vix"].reason.startswith("measured at 09:45")
    assert (rows["vix"].reason[-10:], late["vix"].reason[-7:]) == ("17 min ago", "3 h ago")
    assert verdict.standing is CheckResult.WARNS
    assert "21 min ago" in verdict.reason
