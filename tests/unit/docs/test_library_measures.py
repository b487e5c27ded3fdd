"""Our measures of SPY are those of public libraries, or differ as docs/MEASURES.md explains (AN-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest

from core.analytics.metrics import Drawdown, deepest, drawdowns, returns_of
from docs.measures import DIFFERENCES, ROWS, RULES, closes, equity_of, libraries, ours, theirs

COMPARED = [
    (rule, library, key)
    for rule in RULES
    for library in libraries()
    for key in theirs(rule, library)
    if key != "trades"
]


def test_every_measure_has_a_library_figure() -> None:
    """AN-01: but for the count of trades"""
    compared = {key for _, _, key in COMPARED}

    assert [key for key, _, _ in ROWS if key not in compared] == ["trades"]
    assert set(DIFFERENCES) == set(INSTEAD)


def test_library_figures_are_ours_or_explained() -> None:
    """AN-01: what a library does instead is worked out from our series"""
    expected = {
        (rule, library, key): INSTEAD[key, library](rule) if (key, library) in DIFFERENCES else ours(rule)[key]
        for rule, library, key in COMPARED
    }

    assert {each: theirs(each[0], each[1])[each[2]] for each in COMPARED} == pytest.approx(expected, rel=1e-9)


def test_explained_differences_are_real() -> None:
    """AN-01"""
    for key, library in DIFFERENCES:
        different = [theirs(rule, library)[key] != pytest.approx(ours(rule)[key], rel=1e-6) for rule in RULES]
        assert any(different), (key, library)


def test_years_of_sessions_and_calendar_differ() -> None:
    """AN-01"""
    assert len(closes()) == 3335
    assert (round(3334 / 252, 2), round(_calendar_years(), 2)) == (13.23, 13.24)


def _calendar_years() -> float:
    days = closes().index
    return float((days[-1] - days[0]).days / 365.25)


def _grown_by_the_calendar(rule: str) -> float:
    equity = equity_of(rule)
    return float((equity.iloc[-1] / equity.iloc[0]) ** (1 / _calendar_years()) - 1)


def _fall(rule: str) -> Drawdown:
    fall = deepest(equity_of(rule))
    assert fall is not None
    return fall


def _below(rule: str, peak: object, until: object) -> int:
    """Days of the calendar from the first close after the peak to the last before it was made good, both counted."""
    days = equity_of(rule).loc[peak:until].index[1:-1]
    return int((days[-1] - days[0]).days) + 1


def _below_to_the_end(rule: str, peak: object, until: object) -> int:
    days = equity_of(rule).loc[peak:until].index[1:]
    return int((days[-1] - days[0]).days)


def _under_water(rule: str) -> list[tuple[object, object]]:
    """The days at the edges of each time under water that was made good: the last at the peak, the first after it."""
    is_top = drawdowns(equity_of(rule)) == 0
    tops = is_top[is_top].index
    return list(pairwise(tops))


def _longest(rule: str, of: Callable[[str, object, object], int]) -> int:
    return max(of(rule, peak, until) for peak, until in _under_water(rule) if _sessions(rule, peak, until) > 1)


def _sessions(rule: str, peak: object, until: object) -> int:
    return len(equity_of(rule).loc[peak:until]) - 1


def _won_of_days_that_moved(rule: str) -> float:
    returns = returns_of(equity_of(rule))
    return float((returns > 0).sum() / (returns != 0).sum())


def _infinite_without_a_loss(rule: str) -> float:
    mine = ours(rule)["profit_factor"]
    return float("inf") if mine is None else mine


INSTEAD: Mapping[tuple[str, str], Callable[[str], float]] = {
    ("yearly_return", "ffn"): _grown_by_the_calendar,
    ("calmar", "ffn"): lambda rule: _grown_by_the_calendar(rule) / _fall(rule).depth,
    ("drawdown_length", "quantstats"): lambda rule: _below(rule, _fall(rule).peak, _fall(rule).recovered),
    ("drawdown_length", "ffn"): lambda rule: _below_to_the_end(rule, _fall(rule).peak, _fall(rule).recovered),
    ("longest_under_water", "quantstats"): lambda rule: _longest(rule, _below),
    ("longest_under_water", "ffn"): lambda rule: _longest(rule, _below_to_the_end),
    ("win_rate_days", "quantstats"): _won_of_days_that_moved,
    ("profit_factor", "quantstats"): _infinite_without_a_loss,
}
"""What each library does instead, worked out from our series."""
