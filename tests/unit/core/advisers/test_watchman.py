"""What the watchman says of a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from core.advisers.authority import Watch
from core.advisers.base import Shown
from core.advisers.terms import WatchmanTerms
from core.advisers.watchman import Watchman
from core.model.values import Quantity
from core.views import LogRow, PositionRow
from tests.desk.still_house import a_position

NOW = datetime(2026, 1, 8, 15, tzinfo=UTC)
ROUND = "vwap: SPY not staged: spread: spread 0.{} % is over 0.2 %; quote age: 3 s"


def said(log: tuple[str, ...] = (), *positions: PositionRow) -> list[str]:
    rows = tuple(LogRow(number, NOW, "proposal", text) for number, text in enumerate(log))
    shown = Shown(NOW, rows, (), positions, (), Watch("watchman"))
    return [advice.text for advice in Watchman(WatchmanTerms(enabled=True, refusals=3), most=3).advise(shown)]


def test_one_check_that_refuses_three_times_is_named_whatever_its_figures_are() -> None:
    """OP-09"""
    assert said((ROUND.format(3), ROUND.format(4))) == []
    assert said(tuple(ROUND.format(n) for n in (3, 4, 5))) == [
        "vwap: SPY was refused again and again by one check, quote age: look at its limit",
        "vwap: SPY was refused again and again by one check, spread: look at its limit",
    ]


def test_a_position_that_nothing_guards_is_named_and_one_that_is_closing_is_not() -> None:
    """OP-09"""
    bare = a_position(covered=Quantity(Decimal(40)))

    assert said((), bare) == ["SPY: nothing at the broker guards 7 shares; give it a stop"]
    assert said((), a_position()) == []
    assert said((), a_position(covered=Quantity(Decimal(40)), is_closing=True)) == []


def test_it_says_no_more_at_once_than_it_may_and_the_most_frequent_first() -> None:
    """OP-09: or it would be taken for one that floods."""
    log = tuple(f"vwap: S{n} not staged: breaker: shut" for n in range(5) for _ in range(3 + n))

    assert [text.partition(" was")[0] for text in said(log)] == ["vwap: S4", "vwap: S3", "vwap: S2"]
