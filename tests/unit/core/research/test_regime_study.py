"""A regime study: figures of each state, trades by the state before them, agreement with the desk's labels (AN-07)."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pandas as pd
import pytest

from core.files.csv_files import read_daily_bars, read_daily_values
from core.model.signal import ExitReason
from core.model.values import Fraction, Symbol
from core.research.portfolio_risk.history import read_closes
from core.research.regimes.study import RegimeStudy, _figures, state_before, study_of
from core.research.regimes.study_text import as_json, lines_of
from core.risk.protections.closed_trades import ClosedTrade, Direction
from tests.data import days_of

SPY = Symbol("SPY")
ENTRIES = [date(2009, 1, 5) + timedelta(days=7 * number) for number in range(60)]


def a_trade(day: date, ratio: str) -> ClosedTrade:
    opened = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    return ClosedTrade(
        SPY, Direction.LONG, opened, opened + timedelta(hours=1), Fraction(Decimal(ratio)), ExitReason.SIGNAL
    )


closes, daily_bars = cache(read_closes), cache(read_daily_bars)


def a_study(trades: list[ClosedTrade], *, days: int = 600, has_vix: bool = True) -> RegimeStudy:
    """The first days of SPY, from January 2008."""
    path = days_of("SPY")
    read = closes(path, SPY)
    kept = dict(zip(read.days[:days], read.adjusted[:days], strict=True))
    bars = [bar for bar in daily_bars(path) if bar.day in kept]
    vix = [each for each in read_daily_values(days_of("VIX")) if each.day in kept] if has_vix else []
    return study_of(SPY, kept, bars, vix, trades, lambda at: at.date(), states=3, seed=1)


@pytest.fixture(scope="module")
def study() -> RegimeStudy:
    return a_study([a_trade(day, "0.01" if number % 2 else "-0.02") for number, day in enumerate(ENTRIES)])


def test_every_day_has_one_state_of_each_method(study: RegimeStudy) -> None:
    """AN-07: 600 days less the 49 before the first mean of 50; states are in order of volatility"""
    for found in study.labellings:
        assert len(found.labels) == 551
        assert sum(state.days for state in found.states) == 551
        spreads = [state.volatility for state in found.states]
        assert spreads == sorted(spreads)


def test_no_state_loses_more_than_all_in_a_year() -> None:
    """AN-07: half a per cent a day is 71.6 % of a year, and not 126 %"""
    falling = pd.Series([-0.005] * 40)
    found = _figures(1, falling, pd.DataFrame(index=falling.index), [40], [])

    assert found.mean_return == pytest.approx(math.exp(-0.005 * 252) - 1)
    assert found.mean_return > -1


def test_shares_of_labels_are_those_of_the_days(study: RegimeStudy) -> None:
    """AN-07, RK-19: counted again from the rows of each day"""
    rows = as_json(study)["labels"]
    assert isinstance(rows, list)
    for found in study.labellings:
        for state in found.states:
            of_it = [row for row in rows if row[found.method] == state.number]
            for label, shares in state.agreement.items():
                for value, share in shares.items():
                    assert share == pytest.approx(sum(row[label] == value for row in of_it) / len(of_it))


def test_trades_count_for_the_state_of_the_session_before(study: RegimeStudy) -> None:
    """AN-07: the state of the entry's own day was not known at the entry"""
    for found in study.labellings:
        states = [state_before(found.labels, day) for day in ENTRIES]
        for state in found.states:
            ratios = [0.01 if number % 2 else -0.02 for number, before in enumerate(states) if before == state.number]
            assert state.trades.count == len(ratios)
            assert state.trades.is_few == (len(ratios) < 30)
            if ratios:
                assert state.trades.mean == pytest.approx(sum(ratios) / len(ratios))
                assert state.trades.won == pytest.approx(sum(ratio > 0 for ratio in ratios) / len(ratios))
    assert (study.trades, study.left_out) == (60, 0)


def test_a_state_older_than_a_week_is_none() -> None:
    """AN-07"""
    labels = pd.Series([1, 2], index=[date(2020, 3, 2), date(2020, 3, 3)])

    asked = [date(2020, 3, 2), date(2020, 3, 3), date(2020, 3, 4), date(2020, 3, 10), date(2020, 3, 11)]
    assert [state_before(labels, day) for day in asked] == [None, 1, 2, 2, None]


def test_trades_outside_of_the_days_are_counted() -> None:
    """AN-07, and without the VIX its labels are left out"""
    found = a_study([a_trade(date(2008, 1, 10), "0.01"), a_trade(date(2009, 1, 5), "0.01")], days=360, has_vix=False)

    assert (found.trades, found.left_out) == (2, 1)
    assert list(found.desk) == ["trend", "volatility"]
    assert {len(each.rand) for each in found.labellings} == {2}


def test_lines_fit_80_columns(study: RegimeStudy) -> None:
    """AN-07, SY-08"""
    assert max(map(len, lines_of(study))) <= 80
