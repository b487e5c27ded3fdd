"""The regime changes of 2008 and of March 2020, out of the recorded figures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date

from syrupy.assertion import SnapshotAssertion

from core.files.csv_files import read_daily_bars, read_daily_values
from core.model.sizing import MarketMeasure, Trend, Volatility
from core.model.values import Symbol
from core.risk.regime import (
    MarketFold,
    RegimeChange,
    change_in_words,
    entries_allowed,
    market_changes,
    plain_level,
    vix_changes,
)
from core.settings.risk import FrequencySettings
from tests.unit.core.risk.regime.seasons import file_of

SPRING = (date(2020, 2, 1), date(2020, 4, 30))


def told(changes: Iterable[RegimeChange], since: date, until: date) -> list[str]:
    return [change_in_words(change) for change in changes if since <= change.day <= until]


def of_market(symbol: str, since: date, until: date) -> list[str]:
    return told(market_changes(Symbol(symbol), read_daily_bars(file_of(symbol))), since, until)


def test_vix_levels_of_spring_2020(snapshot: SnapshotAssertion) -> None:
    """RK-19: high two weeks before the worst of it, and all through March."""
    changes = vix_changes(read_daily_values(file_of("VIX")))

    assert told(changes, *SPRING) == snapshot


def test_market_labels_of_spring_2020(snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    assert of_market("SPY", *SPRING) == snapshot
    assert of_market("QQQ", *SPRING) == snapshot
    assert of_market("IWM", *SPRING) == snapshot


def test_hysteresis_removes_a_third_of_changes() -> None:
    """RK-19"""
    history = read_daily_values(file_of("VIX"))
    plain = [plain_level(day.value) for day in history]

    flaps = sum(a is not b for a, b in itertools.pairwise(plain))
    changes = len(list(vix_changes(history))) - 1

    assert (changes, flaps) == (426, 628)


def test_march_2020_allowed_no_entry() -> None:
    """RK-12: the day is judged by the sessions before it."""
    fold, terms = MarketFold(Symbol("SPY")), FrequencySettings()
    allowed: dict[date, int] = {}
    labels: MarketMeasure | None = None
    for bar in read_daily_bars(file_of("SPY")):
        if labels is not None:
            allowed[bar.day] = entries_allowed(1, labels, bar.day, terms).entries
        labels = fold.take(bar)

    march = [entries for day, entries in allowed.items() if (day.year, day.month) == (2020, 3)]
    first_days = [entries for day, entries in allowed.items() if day.year == 2008 and day.month <= 3]
    assert set(march) == {0}
    assert set(first_days) == {1}
    assert 2 in {entries for day, entries in allowed.items() if day.year == 2017}
    assert isinstance(labels, MarketMeasure)
    assert (labels.trend, labels.volatility) == (Trend.UP, Volatility.USUAL)
