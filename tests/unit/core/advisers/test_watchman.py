"""What the watchman says of a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.advisers import Shown, Watchman
from core.model.recommendation import Watch
from core.model.values import Quantity, Symbol
from core.settings.service import WatchmanSettings
from core.views import LogRow, NotStaged, PositionRow
from tests.desk.still_house import a_position

NOW = datetime(2026, 1, 8, 15, tzinfo=UTC)
SPREAD_AND_AGE = ("spread", "quote age")


def not_staged(symbol: str, *checks: str, words: str = "words that tell nothing") -> NotStaged:
    return NotStaged("vwap", Symbol(symbol), checks, words)


def said(refused: tuple[NotStaged, ...] = (), *positions: PositionRow) -> list[str]:
    rows = tuple(LogRow(number, NOW, "proposal", one.words, "", one) for number, one in enumerate(refused))
    shown = Shown(NOW, rows, (), positions, (), Watch("watchman"))
    return [advice.text for advice in Watchman(WatchmanSettings(enabled=True, refusals=3), most=3).advise(shown)]


def test_a_check_refusing_three_times_is_named(snapshot: SnapshotAssertion) -> None:
    """OP-09"""
    rounds = tuple(not_staged("SPY", *SPREAD_AND_AGE, words=f"spread 0.{n} % is over 0.2 %") for n in (3, 4, 5))

    assert said(rounds[:2]) == []
    assert said(rounds) == snapshot


def test_an_unguarded_position_is_named(snapshot: SnapshotAssertion) -> None:
    """OP-09"""
    bare = a_position(covered=Quantity(Decimal(40)))

    assert said((), bare) == snapshot
    assert said((), a_position()) == []
    assert said((), a_position(covered=Quantity(Decimal(40)), is_closing=True)) == []


def test_alerts_are_capped_most_frequent_first() -> None:
    """OP-09: or it would be taken for one that floods."""
    refused = tuple(not_staged(f"S{n}", "breaker") for n in range(5) for _ in range(3 + n))

    assert [text.partition(" was")[0] for text in said(refused)] == ["vwap: S4", "vwap: S3", "vwap: S2"]
