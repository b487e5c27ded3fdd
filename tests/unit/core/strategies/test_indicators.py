"""Every indicator, bar by bar, against the same reckoned over the whole series by pandas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.model.bar import Bar
from core.strategies.indicators import AverageRange, Deviation, Gain, Highest, Lowest, Mean, Strength
from tests.unit.core.strategies.recorded import daily_bars, minute_bars, series

Frame = pd.DataFrame


@dataclass(frozen=True)
class Case:
    """One indicator, what it is shown of a bar, and pandas' way to it."""

    make: Callable[[int], Any]
    shown: Callable[[Bar], Any]
    whole: Callable[[Frame, int], Any]


def true_range(frame: Frame) -> Any:
    before = frame.close.shift()
    spans = pd.concat([frame.high - frame.low, (frame.high - before).abs(), (frame.low - before).abs()], axis=1)
    return spans.max(axis=1).where(before.notna())


def strength(frame: Frame, length: int) -> Any:
    change = frame.close.diff()
    rises = change.clip(lower=0).rolling(length).sum().round(6)
    falls = (-change).clip(lower=0).rolling(length).sum().round(6)
    index = 100 * rises / (rises + falls)
    return index.where((rises + falls != 0) | rises.isna(), 50.0)


CASES = {
    "mean": Case(Mean, lambda bar: bar.close, lambda f, n: f.close.rolling(n).mean()),
    "deviation": Case(Deviation.over, lambda bar: bar.close, lambda f, n: f.close.rolling(n).std(ddof=0)),
    "highest": Case(Highest, lambda bar: bar.high, lambda f, n: f.high.rolling(n).max()),
    "lowest": Case(Lowest, lambda bar: bar.low, lambda f, n: f.low.rolling(n).min()),
    "range": Case(AverageRange.over, lambda bar: bar, lambda f, n: true_range(f).rolling(n).mean()),
    "strength": Case(Strength.over, lambda bar: bar.close, strength),
    "gain": Case(Gain, lambda bar: bar.close, lambda f, n: f.close.pct_change(n)),
}
each_one = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def framed(bars: list[Bar]) -> Frame:
    columns = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({name: [float(getattr(bar, name)) for bar in bars] for name in columns})


def compare(case: Case, bars: list[Bar], length: int) -> int:
    """How many values there were. A cent in a hundred million is the floats' own error."""
    indicator, known = case.make(length), 0
    for bar, expected in zip(bars, case.whole(framed(bars), length), strict=True):
        indicator.take(case.shown(bar))
        if pd.isna(expected):
            assert indicator.value is None
            continue
        assert float(indicator.value) == pytest.approx(expected, rel=1e-7, abs=2e-5)
        known += 1
    return known


@each_one
@settings(max_examples=12)
@given(bars=series(), length=st.integers(1, 25))
def test_an_indicator_equals_pandas(case: Case, bars: list[Bar], length: int) -> None:
    """ST-01, ST-04, ST-05"""
    compare(case, bars, length)


@each_one
@pytest.mark.parametrize("length", [14, 50])
def test_recorded_bars_equal_pandas_too(case: Case, length: int) -> None:
    """ST-01, ST-04, ST-05"""
    assert compare(case, daily_bars(count=200), length) >= 140
    assert compare(case, minute_bars("IBM")[:200], length) >= 140


@each_one
@settings(max_examples=12)
@given(bars=series(least=40), length=st.integers(1, 20), first=st.integers(0, 15))
def test_a_full_window_forgets_what_was_before(case: Case, bars: list[Bar], length: int, first: int) -> None:
    """ST-01: once its window is full, nothing before it counts."""
    early, late = case.make(length), case.make(length)
    for number, bar in enumerate(bars):
        early.take(case.shown(bar))
        if number >= first:
            late.take(case.shown(bar))

    assert late == early


@each_one
@settings(max_examples=12)
@given(bars=series(least=5), length=st.integers(1, 20))
def test_an_indicator_round_trips(case: Case, bars: list[Bar], length: int) -> None:
    """ST-01, SP-03"""
    indicator = case.make(length)
    for bar in bars:
        indicator.take(case.shown(bar))

    adapter = TypeAdapter(type(indicator))

    assert adapter.validate_json(adapter.dump_json(indicator)) == indicator


def test_a_mean_does_not_drift() -> None:
    """ST-01: floats would have drifted."""
    mean = Mean(3)
    for number in range(10_000):
        mean.take(Decimal("0.1") + number % 7 * Decimal(10) ** 6)

    mean.take(Decimal("0.1"))
    mean.take(Decimal("0.1"))
    mean.take(Decimal("0.1"))

    assert mean.total == Decimal("0.3")


def test_an_older_window_document_is_read():
    """Documents of before hold them beside the mean; they follow from it."""
    window = Deviation.over(3)
    for price in ("1.25", "2.5", "5"):
        window.take(Decimal(price))
    written = TypeAdapter(Deviation).dump_python(window, mode="json")

    read = TypeAdapter(Deviation).validate_python({**written, "squares": written["mean"]})

    assert read == window
    assert read.value == window.value


def test_a_full_average_has_a_value():
    mean = Mean(2)
    for price in ("1", "2", "3"):
        mean.take(Decimal(price))
        assert mean.is_full == (mean.value is not None)
