"""The measures of thirteen years of SPY; `unit/docs/test_library_measures.py` compares them with those of libraries."""

from __future__ import annotations

from core.analytics.metrics import deepest, longest_under_water
from core.market.calendar import load_calendar
from docs.measures import closes, equity_of, ours
from tests.kit.rows import table


def test_the_closes_are_those_of_every_session() -> None:
    """AN-01: a missing one would make two returns one"""
    days = [day.date() for day in closes().index]

    assert days == [each.day for each in load_calendar(days[0], days[-1]).sessions() if each.day <= days[-1]]


@table(
    "rule peak trough recovered length trades",
    ("buy and hold", "2008-01-02", "2009-03-09", "2012-09-13", 1185, 1),
    ("SMA 200", "2020-02-19", "2020-06-26", "2021-01-07", 224, 37),
)
def test_the_deepest_drawdown_is_that_of_the_crisis(
    rule: str, peak: str, trough: str, recovered: str, length: int, trades: int
) -> None:
    """AN-01"""
    fall = deepest(equity_of(rule))

    assert fall is not None
    assert [str(day)[:10] for day in (fall.peak, fall.trough, fall.recovered)] == [peak, trough, recovered]
    assert longest_under_water(equity_of(rule)) >= fall.sessions - 1
    assert (ours(rule)["drawdown_length"], ours(rule)["trades"]) == (length, trades)
