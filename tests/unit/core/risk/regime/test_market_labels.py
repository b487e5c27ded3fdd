"""Trend and volatility out of daily bars, one bar at a time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.model.sizing import DailyBar, MarketMeasure, NoMarket, Trend, Volatility
from core.model.values import Symbol
from core.risk.regime import ATR_DAYS, AVERAGE_DAYS, CONFIRMING_DAYS, FAST_DAYS, SLOW_DAYS, STEP, MarketFold, market_of
from tests.kit.rows import table
from tests.unit.core.risk.regime.seasons import FIRST, a_bar, bars

SPY = Symbol("SPY")
FLAT = [100] * 300


def shown(*seasons: list[DailyBar]) -> list[MarketMeasure]:
    """Every day's labels; each season begins the day after the one before it."""
    fold = MarketFold(SPY)
    told = [bar for season in seasons for bar in season]
    dated = [DailyBar(FIRST + timedelta(days=n), bar.high, bar.low, bar.close) for n, bar in enumerate(told)]
    return [fold.take(bar) for bar in dated]


def plain_range(season: list[DailyBar]) -> list[Decimal]:
    """Wilder's average true range as its definition reads, from the first day that has one."""
    spans = [
        max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))
        for before, bar in itertools.pairwise(season)
    ]
    found = [(sum(spans[:ATR_DAYS], Decimal(0)) / ATR_DAYS).quantize(STEP)] if len(spans) >= ATR_DAYS else []
    for span in spans[ATR_DAYS:]:
        found.append(((found[-1] * 13 + span) / 14).quantize(STEP))
    return found


def test_without_a_bar_labels_are_unknown(snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    assert market_of(SPY, []) == NoMarket(snapshot)


def test_a_label_comes_with_its_completing_bar() -> None:
    """RK-19"""
    told = shown(bars(FLAT))

    ranged = [n for n, market in enumerate(told, 1) if market.atr is not None]
    judged = [n for n, market in enumerate(told, 1) if market.volatility is not None]
    trended = [n for n, market in enumerate(told, 1) if market.trend is not None]
    assert (ranged[0], judged[0], trended[0]) == (ATR_DAYS + 1, ATR_DAYS + AVERAGE_DAYS, SLOW_DAYS)
    assert told[0].atr_ratio is None
    assert (told[-1].atr_ratio, told[-1].volatility, told[-1].trend) == (1, Volatility.USUAL, Trend.SIDEWAYS)


def test_an_overnight_gap_is_in_the_true_range() -> None:
    """RK-19: it closed at 100 and opened far over it; the day itself moved by 2."""
    quiet, gapped = bars([100] * 15), bars([100] * 14 + [110])

    assert shown(quiet)[-1].atr == 2
    assert shown(gapped)[-1].atr == Decimal("2.642857")  # (13 × 2 + 11) ÷ 14


def test_a_long_rise_is_up_and_a_fall_is_down() -> None:
    """RK-19"""
    assert shown(bars(range(100, 400)))[-1].trend is Trend.UP
    assert shown(bars(range(400, 100, -1)))[-1].trend is Trend.DOWN


def test_three_closes_end_a_trend() -> None:
    """RK-19"""
    rise = bars(range(100, 400))
    two_under = shown(rise, bars([300, 300, 400, 300, 300, 400]))
    three_under = shown(rise, bars([300, 300, 300]))

    assert {market.trend for market in two_under[-6:]} == {Trend.UP}
    assert [market.trend for market in three_under[-3:]] == [Trend.UP, Trend.UP, Trend.SIDEWAYS]


def test_a_wild_market_calms_by_hysteresis() -> None:
    """RK-19"""
    told = shown(bars(FLAT), bars([100] * 60, span=6))

    wild = [market for market in told if market.volatility is Volatility.WILD]
    first, last = wild[0].atr_ratio, wild[-1].atr_ratio
    assert first is not None
    assert last is not None
    assert first > Decimal("1.5")
    assert Decimal("1.35") < last < Decimal("1.5")
    assert told[-1].volatility is Volatility.USUAL


def test_narrow_days_make_it_calm() -> None:
    """RK-19"""
    told = shown(bars(FLAT), bars([100] * 20, span=1))

    assert told[-1].volatility is Volatility.CALM


@table("days", 0, -1)
def test_an_older_bar_is_ignored(days: int) -> None:
    """RK-19"""
    fold = MarketFold(SPY)
    fold.take(a_bar(FIRST, 100))

    with pytest.raises(ValueError, match=r"^daily bar of .* after that of 2024-01-01$"):
        fold.take(a_bar(FIRST + timedelta(days=days), 100))


@settings(max_examples=24)
@given(
    st.lists(st.tuples(st.integers(8000, 12_000), st.integers(1, 900), st.integers(0, 100)), min_size=1, max_size=280)
)
@example([(8000 + 10 * day, 50, 50) for day in range(260)])
@example([(12_000 - 10 * day, 50, 50) for day in range(260)])
def test_daily_folding_equals_the_definitions(days: list[tuple[int, int, int]]) -> None:
    """RK-19, RK-12"""
    season = []
    for n, (low, span, part) in enumerate(days):
        close = Decimal(low + span * part // 100) / 100
        season.append(
            DailyBar(FIRST + timedelta(days=n), Decimal(low + span) / 100, Decimal(low) / 100, close)  # type: ignore[arg-type]
        )

    market = market_of(SPY, season)

    assert isinstance(market, MarketMeasure)
    ranges, closes = plain_range(season), [bar.close for bar in season]
    assert market.atr == (ranges[-1] if ranges else None)
    average = (sum(ranges[-AVERAGE_DAYS:], Decimal(0)) / AVERAGE_DAYS).quantize(STEP)
    assert market.atr_average == (average if len(ranges) >= AVERAGE_DAYS else None)
    assert (market.trend is None) == (len(closes) < SLOW_DAYS)
    raw = [plain_trend(closes[: n + 1]) for n in range(SLOW_DAYS - 1, len(closes))]
    if len(set(raw[-CONFIRMING_DAYS:])) == 1 and len(raw) >= CONFIRMING_DAYS:
        assert market.trend is raw[-1]


def plain_trend(closes: Sequence[Decimal]) -> Trend:
    fast = sum(closes[-FAST_DAYS:], Decimal(0)) / FAST_DAYS
    slow = sum(closes[-SLOW_DAYS:], Decimal(0)) / SLOW_DAYS
    if closes[-1] > fast > slow:
        return Trend.UP
    return Trend.DOWN if closes[-1] < fast < slow else Trend.SIDEWAYS
