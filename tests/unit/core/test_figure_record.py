"""The record of what agents were told: in force from one change to the next, and bounded (OP-14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.agents import figure_record
from core.agents.fact_checks import Desk, check
from core.agents.figure_record import KEPT, FigureRecord, Scope
from core.model.draft import DraftFact, FactResult
from core.model.fact_fields import FigureFamily

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SPY = Scope(FigureFamily.MARKET, "SPY")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def bid(value: int) -> dict[str, tuple[Decimal, ...]]:
    return {"bid": (Decimal(value),)}


def bids(record: FigureRecord, begins: float, ends: float) -> list[int]:
    return [int(entry.figures["bid"][0]) for entry in record.between(SPY, after(begins), after(ends))]


def test_a_figure_is_in_force_until_the_next() -> None:
    """OP-14"""
    record = FigureRecord()
    for seconds, value in ((0, 1), (5, 1), (10, 2), (20, 3)):
        record.note(SPY, after(seconds), bid(value))

    assert bids(record, 7, 7) == [1]
    assert bids(record, 10, 10) == [2]
    assert bids(record, 9, 21) == [1, 2, 3]
    assert bids(record, 900, 900) == [3]
    assert bids(record, -5, -1) == []


def test_a_quote_counts_from_its_own_time() -> None:
    """OP-14"""
    record = FigureRecord()
    record.note(SPY, after(0), bid(1))
    record.note(SPY, after(10), bid(2), since=after(9))

    assert bids(record, 9.5, 9.5) == [2]
    assert record.begins_at(SPY, after(9))
    record.note(SPY, after(11), bid(3), since=after(-99))
    assert bids(record, 8, 8) == [1]  # never before the one that it follows


def test_what_ended_long_ago_is_dropped() -> None:
    """OP-14: what holds still is kept, however old"""
    record = FigureRecord()
    record.note(SPY, after(0), bid(1))
    record.note(SPY, after(1), bid(2))
    record.note(SPY, after(2) + KEPT, bid(3))

    assert bids(record, 0.5, 0.5) == []
    assert bids(record, 300, 300) == [2]


def test_a_fact_from_before_a_part_of_the_record_is_not_accused() -> None:
    """OP-14: the quantity may have been that of an order, of which nothing is kept so early"""
    record = FigureRecord()
    for family, seconds in ((FigureFamily.HOLDING, 0), (FigureFamily.ORDERS, 60)):
        record.note(Scope(family, "SPY"), after(seconds), {"quantity": (Decimal(3),)})
    desk = Desk(record, "claude", after(90), (), {})
    early, late = (
        check(DraftFact("SPY", "quantity", Decimal(7), after(seconds), ""), desk).result for seconds in (30, 70)
    )

    assert (early, late) == (FactResult.UNKNOWN, FactResult.DIFFERS)


def test_the_record_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-14: in entries of a scope and of all, and in scopes"""
    monkeypatch.setattr(figure_record, "MOST_IN_ALL", 7)
    monkeypatch.setattr(figure_record, "MOST_ENTRIES", 5)
    monkeypatch.setattr(figure_record, "MOST_SCOPES", 3)
    record = FigureRecord()
    for number in range(50):
        record.note(SPY, after(number), bid(number))
        record.note(Scope(FigureFamily.MARKET, f"S{number}"), after(number), bid(number))

    assert bids(record, 0, 99) == [45, 46, 47, 48, 49]
    assert len(record.entries) == 3
    for number in range(50, 60):
        record.note(Scope(FigureFamily.MARKET, "S0"), after(number), bid(number))
    assert sum(map(len, record.entries.values())) == record.count == 7
    assert bids(record, 0, 99)[-1] == 49
