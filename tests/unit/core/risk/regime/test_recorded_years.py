"""The regime changes of 2008 and of March 2020, out of the recorded figures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date

from core.files.daily_file import read_daily_bars, read_daily_values
from core.model.regime import MarketMeasure, Trend, Volatility
from core.model.values import Symbol
from core.risk.regime.changes import RegimeChange, market_changes, vix_changes
from core.risk.regime.frequency import entries_allowed
from core.risk.regime.market import MarketFold
from core.risk.regime.report import change_in_words
from core.risk.regime.vix import plain_level
from core.settings.regime import FrequencySettings
from tests.unit.core.risk.regime.seasons import file_of

SPRING = (date(2020, 2, 1), date(2020, 4, 30))


def told(changes: Iterable[RegimeChange], since: date, until: date) -> list[str]:
    return [change_in_words(change) for change in changes if since <= change.day <= until]


def of_market(symbol: str, since: date, until: date) -> list[str]:
    return told(market_changes(Symbol(symbol), read_daily_bars(file_of(symbol))), since, until)


def test_vix_levels_of_2008() -> None:
    """RK-19: from September on it is high, for the rest of the year."""
    changes = vix_changes(read_daily_values(file_of("VIX")))

    assert told(changes, date(2008, 1, 1), date(2008, 12, 31)) == [
        "2008-01-02 vix unknown → elevated at 23.17",
        "2008-01-22 vix elevated → high at 31.01",
        "2008-01-24 vix high → elevated at 27.78",
        "2008-03-14 vix elevated → high at 31.16",
        "2008-03-18 vix high → elevated at 25.79",
        "2008-05-01 vix elevated → normal at 18.88",
        "2008-06-03 vix normal → elevated at 20.24",
        "2008-06-05 vix elevated → normal at 18.63",
        "2008-06-06 vix normal → elevated at 23.56",
        "2008-08-22 vix elevated → normal at 18.81",
        "2008-08-25 vix normal → elevated at 20.97",
        "2008-09-15 vix elevated → high at 31.70",
    ]


def test_vix_levels_of_spring_2020() -> None:
    """RK-19: high two weeks before the worst of it, and all through March."""
    changes = vix_changes(read_daily_values(file_of("VIX")))

    assert told(changes, *SPRING) == [
        "2020-02-12 vix normal → low at 13.74",
        "2020-02-20 vix low → normal at 15.56",
        "2020-02-24 vix normal → elevated at 25.03",
        "2020-02-27 vix elevated → high at 39.16",
    ]


def test_market_labels_of_2008() -> None:
    """RK-19: the file begins with 2008, so that its first trend is that of October."""
    assert of_market("SPY", date(2008, 1, 1), date(2008, 12, 31)) == [
        "2008-04-03 volatility unknown → usual at 0.93",
        "2008-04-22 volatility usual → calm at 0.80",
        "2008-06-06 volatility calm → usual at 0.94",
        "2008-09-19 volatility usual → wild at 1.56",
        "2008-10-15 trend unknown → down",
        "2008-11-04 volatility wild → usual at 1.32",
        "2008-12-17 volatility usual → calm at 0.79",
    ]


def test_market_labels_of_spring_2020() -> None:
    """RK-19"""
    assert of_market("SPY", *SPRING) == [
        "2020-02-04 volatility usual → wild at 1.53",
        "2020-02-12 volatility wild → usual at 1.33",
        "2020-02-24 volatility usual → wild at 1.53",
        "2020-02-26 trend up → sideways",
        "2020-04-01 trend sideways → down",
        "2020-04-14 volatility wild → usual at 1.33",
        "2020-04-28 trend down → sideways",
    ]
    assert of_market("QQQ", *SPRING) == [
        "2020-02-24 volatility usual → wild at 1.58",
        "2020-02-27 trend up → sideways",
        "2020-04-09 volatility wild → usual at 1.35",
        "2020-04-16 trend sideways → up",
    ]
    assert of_market("IWM", *SPRING) == [
        "2020-02-03 trend up → sideways",
        "2020-02-06 trend sideways → up",
        "2020-02-26 trend up → sideways",
        "2020-02-26 volatility usual → wild at 1.52",
        "2020-03-23 trend sideways → down",
        "2020-04-15 volatility wild → usual at 1.34",
        "2020-04-30 trend down → sideways",
    ]


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
