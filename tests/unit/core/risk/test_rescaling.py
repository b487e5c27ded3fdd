"""Figures of before a split, per share of after it: ATR, closes, volume, alerts, shadow trades (MD-09)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from core.facts import ActionEvidence, AlertKept, CorporateActionApplied, OwnerQuantity
from core.model.alert import Alert, AlertKind, AlertTerms
from core.model.bar import Bar
from core.model.order import Side
from core.model.reference_data import PastDay, PastDays
from core.model.rescaling import SAME, Rescaling
from core.model.session import HOME
from core.model.values import Price, Quantity
from core.risk.price_history import AverageVolume, PriceHistory, Volumes
from core.risk.shadow_trades import ShadowCourse, ShadowTrade
from core.risk.sizing_history import Ranges
from core.trading_state.slices import Alerts
from core.trading_state.splits import Splits
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, a_bar, at

FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)
BARS = 14
RATIOS = pytest.mark.parametrize("ratio", ["2", "1.5", "0.1", "10"])


def a_split(ratio: str, day: date = FRIDAY) -> CorporateActionApplied:
    before, after = Quantity(Decimal(10)), Quantity(Decimal(10) * Decimal(ratio))
    owners = (OwnerQuantity("vwap", after, Decimal(ratio)),)
    return CorporateActionApplied((), day, SPY, Decimal(ratio), before, after, owners, before, ActionEvidence.BOOKS)


def a_minute(clock: str, whole: Decimal, day: date = THURSDAY) -> Bar:
    """Half a per cent above and below its close."""
    low, high = (Price(whole * part) for part in (Decimal("0.995"), Decimal("1.005")))
    return replace(a_bar(clock, "100", day=day), open=Price(whole), high=high, low=low, close=Price(whole))


def thursday(whole: Decimal) -> list[Bar]:
    return [a_minute(f"10:{minute:02d}", whole + minute) for minute in range(40)]


@RATIOS
def test_the_range_is_that_of_a_market_that_was_never_split(ratio: str) -> None:
    """ATR in USD a share of today: by the ratio, and no jump of the night is in it"""
    many = Decimal(ratio)
    split, never = Ranges(HOME.day_of), Ranges(HOME.day_of)
    for bar in thursday(Decimal(1200)):
        split.take(bar, BARS)
        never.take(replace(bar, **{n: Price(getattr(bar, n) / many) for n in ("open", "high", "low", "close")}), BARS)
    split.rescale(SPY, FRIDAY, Rescaling(many))
    for minute in range(30, 45):
        bar = a_minute(f"09:{minute}", Decimal(1240) / many, FRIDAY)
        split.take(bar, BARS)
        never.take(bar, BARS)
    found, expected = split.atr(SPY, BARS), never.atr(SPY, BARS)

    assert found is not None
    assert expected is not None
    assert abs(found - expected) < Decimal("1e-6")
    assert found < Decimal(15) / many


def test_a_range_with_the_jump_in_it_begins_again() -> None:
    """where minutes of its day came before it was known"""
    ranges = Ranges(HOME.day_of)
    for bar in (*thursday(Decimal(1200)), a_minute("09:30", Decimal(120), FRIDAY)):
        ranges.take(bar, BARS)
    ranges.rescale(SPY, FRIDAY, Rescaling(Decimal(10)))

    assert ranges.atr(SPY, BARS) is None
    assert ranges.state.by_symbol[SPY].closes == [(THURSDAY, Decimal("123.9"))]
    for minute in range(31, 31 + BARS):
        ranges.take(a_minute(f"09:{minute}", Decimal(120), FRIDAY), BARS)
    assert abs((ranges.atr(SPY, BARS) or Decimal(0)) - Decimal("1.2")) < Decimal("0.01")


@RATIOS
def test_closes_and_volumes_of_before(ratio: str) -> None:
    history, volumes = PriceHistory(), Volumes()
    history.state.closes[SPY] = [(at("15:58"), Price(Decimal(1200))), (at("09:31", FRIDAY), Price(Decimal(7)))]
    volumes.state.by_symbol[SPY] = AverageVolume(Quantity(Decimal(1000)), 20, THURSDAY)
    for slice_ in (history, volumes):
        slice_.folds[CorporateActionApplied](at("09:35", FRIDAY), a_split(ratio))
    (_, before), (_, today) = history.state.closes[SPY]
    average = volumes.average(SPY)

    assert abs(before * Decimal(ratio) - 1200) < Decimal("1e-6")
    assert today == 7
    assert average is not None
    assert average.shares == 1000 * Decimal(ratio)


@pytest.mark.parametrize(
    ("kind", "level", "after"),
    [
        (AlertKind.PRICE, "90", "45"),
        (AlertKind.VOLUME, "1000", "2000"),
        (AlertKind.CHANGE, "-0.1", "-0.1"),
        (AlertKind.FILL, None, None),
    ],
)
def test_alerts_follow(kind: AlertKind, level: str | None, after: str | None) -> None:
    alerts = Alerts()
    terms = AlertTerms(SPY, kind, None if level is None else Decimal(level), is_above=False)
    alerts.folds[AlertKept](at("10:00"), AlertKept(Alert(1, terms)))
    alerts.folds[CorporateActionApplied](at("09:35", FRIDAY), a_split("2"))

    (kept,) = alerts.of(SPY)
    assert kept.terms.level == (None if after is None else Decimal(after))


def test_a_split_that_our_books_had_rescales_nothing() -> None:
    history = PriceHistory()
    history.state.closes[SPY] = [(at("15:58"), Price(Decimal(1200)))]
    history.folds[CorporateActionApplied](at("09:35", FRIDAY), replace(a_split("2"), owners=()))

    assert history.state.closes[SPY][0][1] == 1200


def test_a_ratio_without_an_end_gives_prices_with_one() -> None:
    third = Rescaling(Decimal(1) / 3)
    assert (Rescaling(3 * third.ratio).price(Decimal(100)), third.known_price(None)) == (Decimal(100), None)
    assert third.shares(Decimal(30)) == 10


def test_cash_beside_shares_is_worth_its_part_of_a_price() -> None:
    """a share of 100 became half a share at 160 and 20 USD; then a dividend of 10 was paid"""
    both = Rescaling(Decimal("0.5"), Decimal(20)).then(Rescaling(cash=Decimal(10)))

    assert (both.price(Decimal(100)), both.distance(Decimal(4)), both.shares(Decimal(10))) == (150, 8, 5)


def test_a_time_is_of_the_exchange() -> None:
    """a bar at 20:30 of New York on Thursday is Friday's in UTC, and of before"""
    late = datetime.fromisoformat("2026-11-20T01:30:00+00:00")
    history = PriceHistory()
    history.state.closes[SPY] = [(late, Price(Decimal(100)))]
    history.folds[CorporateActionApplied](at("09:35", FRIDAY), a_split("2"))

    assert history.state.closes[SPY] == [(late, 50)]


@RATIOS
def test_a_shadow_trade_follows(ratio: str) -> None:
    """at the same cost, with the same result"""
    opens, price = at("10:00"), lambda whole: Price(Decimal(whole))
    shadow = ShadowTrade(
        "1", "vwap", SPY, Side.BUY, Quantity(Decimal(10)), price(100), price(90), price(120), "expired", opens,
        at("15:55", FRIDAY), at("16:00", FRIDAY), ShadowCourse.OPEN, last=price(103),
    )  # fmt: skip
    before = shadow.result
    shadow.rescale(Rescaling(Decimal(ratio)))

    assert before == 30
    assert abs((shadow.result or Decimal(0)) - 30) < Decimal("0.01")
    assert shadow.quantity == 10 * Decimal(ratio)
    assert abs((shadow.stop or Decimal(0)) * Decimal(ratio) - 90) < Decimal("1e-6")


def test_unadjusted_past_prices_are_read_per_share_of_today() -> None:
    """two splits; what comes after the last is as it is"""
    splits = Splits(HOME.day_of)
    for ratio, day in (("2", FRIDAY), ("10", MONDAY)):
        splits.folds[CorporateActionApplied](at("09:35", day), a_split(ratio, day))
    bars = [splits.bar_now(a_bar("10:00", "1000", day=day)) for day in (THURSDAY, FRIDAY, MONDAY)]
    told = (PastDay(day, Price(Decimal(1000)), None, Quantity(Decimal(10))) for day in (THURSDAY, FRIDAY, MONDAY))
    past = splits.past_now(PastDays(SPY, tuple(told)))

    assert [bar.close for bar in bars] == [50, 100, 1000]
    assert [(each.close, each.volume) for each in past.days] == [(50, 200), (100, 100), (1000, 10)]
    assert splits.since(IBM, THURSDAY) == SAME
