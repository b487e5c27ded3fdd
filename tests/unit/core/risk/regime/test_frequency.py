"""How many entries a day may have, by SPY's range against its average."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.model.sizing import MarketMeasure, NoMarket, Trend, Volatility
from core.model.values import Symbol
from core.risk.regime import entries_allowed
from core.settings.risk import FrequencySettings
from core.settings.settings import PROFILES, Settings
from tests.kit.rows import table

MONDAY = date(2026, 11, 16)
FRIDAY = MONDAY - timedelta(days=3)
TERMS = FrequencySettings()


def a_market(ratio: str | None, bars_to: date = FRIDAY) -> MarketMeasure:
    atr = None if ratio is None else Decimal(ratio) * 4
    average = None if ratio is None else Decimal(4)
    return MarketMeasure(Symbol("SPY"), bars_to, Trend.UP, Volatility.USUAL, atr, average)


@table("ratio entries", ("1.51", 0), ("1.5", 1), ("1", 1), ("0.8", 1), ("0.79", 2), (None, 1))
def test_entries_follow_the_measured_range(ratio: str | None, entries: int) -> None:
    """RK-12"""
    assert entries_allowed(1, a_market(ratio), MONDAY, TERMS).entries == entries


def test_a_day_without_entries_says_what_was_measured(snapshot: SnapshotAssertion) -> None:
    """RK-12"""
    shut = entries_allowed(1, a_market("1.62"), MONDAY, TERMS)

    assert shut.is_shut
    assert shut.reason == snapshot


def test_an_extra_entry_never_opens_a_shut_day() -> None:
    """RK-12"""
    assert entries_allowed(10, a_market("0.5"), MONDAY, TERMS).entries == 11
    assert entries_allowed(0, a_market("0.5"), MONDAY, TERMS).entries == 0


@table("bars_to", MONDAY, MONDAY + timedelta(days=1), MONDAY - timedelta(days=8), date(2008, 1, 2))
def test_todays_and_stale_bars_are_no_history(bars_to: date) -> None:
    """RK-12"""
    for ratio in ("9", "0.1"):
        allowance = entries_allowed(1, a_market(ratio, bars_to), MONDAY, TERMS)

        assert (allowance.entries, allowance.is_shut) == (1, False)


def test_an_unmeasured_market_keeps_the_profile(snapshot: SnapshotAssertion) -> None:
    """RK-12"""
    allowance = entries_allowed(3, NoMarket("Alpaca did not answer"), MONDAY, TERMS)

    assert (allowance.entries, allowance.reason) == (3, snapshot)


def test_frequency_rules_micro_and_not_swing() -> None:
    """RK-12"""
    micro = Settings.model_validate(PROFILES["micro"]).risk
    swing = Settings.model_validate(PROFILES["swing"]).risk

    assert entries_allowed(micro.entries_a_day, a_market("2"), MONDAY, micro.frequency).entries == 0
    assert entries_allowed(swing.entries_a_day, a_market("2"), MONDAY, swing.frequency).entries == 10
