"""docs/MEASURES.md says what the program and the libraries work out of SPY, and why they differ (AN-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest

from core.analytics.metrics import Drawdown, deepest, drawdowns, returns_of
from docs.measures import DIFFERENCES, PAGE, ROWS, RULES, TABLES, closes, equity_of, libraries, ours, page, theirs
from docs.pages import BLOCK

BESIDE = [
    (rule, library, key)
    for rule in RULES
    for library in libraries()
    for key in theirs(rule, library)
    if key != "trades"
]


def test_the_page_is_what_its_script_writes() -> None:
    """AN-01: where this fails, run `.venv/bin/python docs/measures.py`."""
    text = PAGE.read_text()

    assert page(text) == text
    assert sorted(block[2] for block in BLOCK.finditer(text)) == sorted(TABLES)


def test_a_figure_that_was_changed_makes_the_page_differ() -> None:
    """AN-01"""
    text = PAGE.read_text()
    tampered = text.replace("| 0.473830 |", "| 0.473831 |", 1)

    assert tampered != text
    assert page(tampered) == text


def test_every_measure_stands_beside_a_library_or_is_a_count() -> None:
    """AN-01"""
    beside = {key for _, _, key in BESIDE}

    assert [key for key, _, _ in ROWS if key not in beside] == ["trades"]
    assert set(DIFFERENCES) == set(INSTEAD)


@pytest.mark.parametrize(("rule", "library", "key"), BESIDE)
def test_a_figure_of_a_library_is_ours_or_what_the_page_says_it_does_instead(rule: str, library: str, key: str) -> None:
    """AN-01"""
    mine = INSTEAD[key, library](rule) if (key, library) in DIFFERENCES else ours(rule)[key]

    assert theirs(rule, library)[key] == pytest.approx(mine, rel=1e-9)


@pytest.mark.parametrize(("key", "library"), DIFFERENCES)
def test_a_difference_that_is_explained_is_one(key: str, library: str) -> None:
    """AN-01"""
    assert any(theirs(rule, library)[key] != pytest.approx(ours(rule)[key], rel=1e-6) for rule in RULES)


def test_a_year_of_sessions_and_one_of_the_calendar_differ_by_as_much_as_the_page_says() -> None:
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
