"""The crossing of averages: its dates against pandas, its filter, its confidence."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion

from core.model.bar import Bar
from core.model.order import Side
from core.model.signal import EntrySignal, ExitReason, NoTrade, NoTradeReason
from core.model.values import Price, Quantity
from core.settings.strategies import SmaSettings
from core.strategies.sma import SmaStrategy
from tests.kit.rows import table
from tests.unit.core.strategies.recorded import OPEN, SPY, Trader, a_context, daily_bars, minute_bars, series

THE_BROKERS = Quantity(Decimal(10**6))
"""Every share is covered by a stop at the broker, which never fills."""
PAIRS = ((5, 15), (10, 30), (20, 50))


def bare(*pairs: tuple[int, int], **more: Any) -> SmaSettings:
    """The crossover and nothing else, with stops out of the way."""
    terms = {
        "enabled": True, "pairs": pairs, "regime_filter": False, "minimum_confidence": 0, "stop_ranges": 20, **more,
    }  # fmt: skip
    return SmaSettings.model_validate(terms)


def crossings(bars: list[Bar], fast: int, slow: int) -> list[tuple[datetime, Side]]:
    """By pandas, over the whole series at once; in ten-thousandths of a dollar, so that its sums are exact."""
    closes = pd.Series([int(bar.close * 10_000) for bar in bars], index=[bar.start for bar in bars], dtype="float64")
    gap = closes.rolling(fast).sum() * slow - closes.rolling(slow).sum() * fast
    buys = gap.index[(gap > 0) & (gap.shift() <= 0)]
    sells = gap.index[(gap < 0) & (gap.shift() >= 0)]
    return sorted([(at, Side.BUY) for at in buys] + [(at, Side.SELL) for at in sells], key=lambda said: said[0])


def said_of(bars: list[Bar], strategy: SmaStrategy) -> list[tuple[datetime, Side]]:
    trader, said = Trader(strategy), []
    for bar in bars:
        trader.shows([bar])
        if strategy.state.said is not None:
            said.append((strategy.state.said.bar_start, strategy.state.said.side))
    return said


@table("pair", *PAIRS)
def test_the_dates_of_spy_are_those_of_pandas(pair: tuple[int, int]) -> None:
    """ST-05: each crossing of seven years; its entries are the buys, its exits the sells of what was held."""
    bars = daily_bars("SPY")[-1800:]
    whole = crossings(bars, *pair)
    trader = Trader(SmaStrategy(bare(pair, stop_ranges=2)))

    trader.shows(bars, covered=THE_BROKERS)

    buys = [at for at, side in whole if side is Side.BUY]
    sells = [at for at, side in whole if side is Side.SELL and at > buys[0]]
    assert len(buys) >= 9
    assert [signal.bar_start for signal in trader.entries] == buys
    assert [signal.bar_start for signal in trader.exits] == sells
    assert {signal.exit_reason for signal in trader.exits} == {ExitReason.SIGNAL}
    assert said_of(bars, SmaStrategy(bare(pair))) == whole


@table("pair", *PAIRS)
def test_crossings_equal_float_means_too(pair: tuple[int, int]) -> None:
    """ST-05: the few lines that anybody would write, floats and all."""
    bars = daily_bars("SPY")
    closes = pd.Series([float(bar.close) for bar in bars], index=[bar.start for bar in bars])
    fast, slow = closes.rolling(pair[0]).mean(), closes.rolling(pair[1]).mean()
    over = (fast > slow) & (fast.shift() <= slow.shift())

    said = said_of(bars, SmaStrategy(bare(pair)))

    assert [at for at, side in said if side is Side.BUY] == list(over.index[over])


@table("symbol", "SPY", "AIG")
def test_so_are_those_of_recorded_minutes(symbol: str) -> None:
    """ST-05"""
    bars = minute_bars(symbol)

    assert said_of(bars, SmaStrategy(bare((10, 30)))) == crossings(bars, 10, 30)


@settings(max_examples=20)
@given(bars=series(least=20, most=120), fast=st.integers(1, 8), more=st.integers(1, 12))
def test_any_crossings_equal_pandas(bars: list[Bar], fast: int, more: int) -> None:
    """ST-05"""
    assert said_of(bars, SmaStrategy(bare((fast, fast + more)))) == crossings(bars, fast, fast + more)


def moving(*steps: tuple[int, str]) -> list[Bar]:
    """Minutes from 100 USD on: so many of them, each by so much."""
    bars, close = [], Decimal(100)
    for count, step in steps:
        for _ in range(count):
            before, close = close, close + Decimal(step)
            high, low = Price(max(before, close)), Price(min(before, close))
            start = OPEN + timedelta(minutes=len(bars))
            bars.append(Bar(SPY, start, Price(before), high, low, Price(close), Quantity(Decimal(1000))))
    return bars


def first_answer(terms: SmaSettings, bars: list[Bar]) -> tuple[EntrySignal | None, Trader]:
    trader = Trader(SmaStrategy(terms))
    trader.shows(bars)
    return (trader.entries[0] if trader.entries else None), trader


def test_the_slowest_crossing_pair_speaks(snapshot: SnapshotAssertion) -> None:
    """ST-05: the faster ones that turn before it sell nothing."""
    bars = moving((60, "-0.05"), (60, "0.05"), (12, "-0.05"), (40, "0.05"))

    only = bare((20, 50), minimum_confidence=0)
    entry, alone = first_answer(only, bars)
    all_said = said_of(bars, SmaStrategy(bare(*PAIRS)))

    assert entry is not None
    assert entry.reason == snapshot
    assert alone.exits == []
    assert (entry.bar_start, Side.BUY) in all_said
    assert len(all_said) > len(said_of(bars, SmaStrategy(only)))


def test_under_the_long_average_nothing_opens() -> None:
    """ST-05"""
    bars = moving((220, "-0.05"), (15, "0.05"))
    unfiltered, _ = first_answer(bare((5, 15)), bars)
    filtered, trader = first_answer(bare((5, 15), regime_filter=True), bars)

    assert unfiltered is not None
    assert filtered is None
    assert trader.reasons[NoTradeReason.WRONG_REGIME] == 1


def test_an_unfilled_regime_filter_blocks() -> None:
    """ST-05: what is not known is no permission."""
    bars = moving((30, "-0.05"), (30, "0.05"))

    entry, trader = first_answer(bare((5, 15), regime_filter=True), bars)

    assert entry is None
    assert trader.reasons[NoTradeReason.WRONG_REGIME] == 1


def test_a_weak_crossing_opens_nothing() -> None:
    """ST-05"""
    bars = moving((60, "-0.05"), (60, "0.05"))
    entry, _ = first_answer(bare((5, 15)), bars)
    assert entry is not None
    assert entry.confidence is not None
    assert 0 < entry.confidence < 1

    at_it, _ = first_answer(bare((5, 15), minimum_confidence=entry.confidence), bars)
    over_it, trader = first_answer(bare((5, 15), minimum_confidence=entry.confidence + Decimal("0.01")), bars)

    assert at_it == entry
    assert over_it is None
    assert trader.reasons[NoTradeReason.LOW_CONFIDENCE] == 1


def test_the_pairs_that_agree_make_it_surer() -> None:
    """ST-05: the last of three to cross is the surest."""
    bars = moving((60, "-0.05"), (60, "0.05"))
    strategy, said = SmaStrategy(bare(*PAIRS)), []
    for bar in bars:
        strategy.on_bar(bar, a_context(bar))
        if strategy.state.said is not None and strategy.state.said.side is Side.BUY:
            said.append(strategy.state.said)

    assert [crossing.pair for crossing in said] == list(PAIRS)
    assert said[0].confidence < said[1].confidence < said[2].confidence


@table("pairs", ((50, 20),), ((20, 20),), ((5, 15), (5, 15)), ())
def test_pairs_that_are_none_are_refused(pairs: object) -> None:
    """ST-05, OP-10"""
    with pytest.raises(ValidationError):
        SmaSettings.model_validate({"pairs": pairs})


def test_off_it_measures_and_proposes_nothing() -> None:
    """ST-03"""
    trader = Trader(SmaStrategy(SmaSettings()))

    answer = trader.shows(moving((300, "-0.05"), (60, "0.05")))

    assert answer == NoTrade(NoTradeReason.DISABLED)
    assert trader.entries == []
