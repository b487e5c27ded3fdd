"""The account at each close, from facts, and its growth without what was paid in and out (AN-01)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analytics.account_days import AccountDay, AccountFacts, account_days, growth, missing
from core.execution.fee_days import FeeDays
from core.facts import CashMoved, DayCorrected, DayStarted, Fact, SharesMoved
from core.market.calendar import load_calendar
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.values import Money, Price, Quantity, Symbol
from core.ports import Recorded

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 1, day) for day in range(5, 10))
BEFORE = date(2026, 1, 2)
SESSIONS = (BEFORE, MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY)
AT = datetime(2026, 1, 9, 21, tzinfo=UTC)
CALENDAR = load_calendar(date(2025, 12, 1), FRIDAY)


def usd(amount: float | str) -> Money:
    return Money(Decimal(str(amount)))


def told(*facts: Fact) -> AccountFacts:
    found = AccountFacts(SESSIONS, FeeDays(CALENDAR.session_on))
    for number, fact in enumerate(facts):
        found.take(Recorded(number, AT, fact))
    return found


def paid(day: date, amount: int, kind: ActivityKind = ActivityKind.TRANSFER) -> CashMoved:
    return CashMoved(ActivityId(f"{day}{amount}"), day, kind, usd(amount), None, "")


def test_the_brokers_latest_close_of_a_day_counts() -> None:
    """AN-01"""
    facts = told(
        DayStarted(MONDAY, usd(100), BEFORE),
        DayStarted(TUESDAY, usd(101), MONDAY),
        DayCorrected(TUESDAY, usd("101.50"), MONDAY),
    )

    days = account_days(facts, MONDAY, FRIDAY)

    assert [(day.day, day.equity) for day in days] == [(BEFORE, usd(100)), (MONDAY, usd("101.50"))]


def test_a_missing_close_keeps_its_row() -> None:
    """AN-01"""
    facts = told(
        DayStarted(MONDAY, usd(100), BEFORE),
        DayStarted(TUESDAY, usd(101), MONDAY),
        DayStarted(FRIDAY, usd(90), THURSDAY),
    )

    days = account_days(facts, MONDAY, FRIDAY)

    assert [day.day for day in days] == [BEFORE, MONDAY, TUESDAY, WEDNESDAY, THURSDAY]
    assert missing(days) == (TUESDAY, WEDNESDAY)
    assert np.isnan([day.equity for day in growth(days)]).tolist() == [False, False, True, True, False]


def test_a_next_day_figure_stands_in_for_a_close() -> None:
    """AN-01"""
    days = account_days(told(DayStarted(MONDAY, usd(100)), DayStarted(TUESDAY, usd(101), MONDAY)), MONDAY, FRIDAY)

    assert [(day.day, day.is_first_figure) for day in days] == [(BEFORE, True), (MONDAY, False)]


def test_a_range_begins_at_the_close_before_it() -> None:
    """AN-01"""
    closes = [DayStarted(day, usd(100 + n), before) for n, (before, day) in enumerate(pairwise(SESSIONS))]

    days = account_days(told(*closes), WEDNESDAY, WEDNESDAY)

    assert [(day.day, day.equity) for day in days] == [(TUESDAY, usd(102)), (WEDNESDAY, usd(103))]
    assert account_days(told(), MONDAY, FRIDAY) == ()


def test_transfers_are_no_result() -> None:
    """AN-01: cash and shares of a transfer do; a dividend and a fee are results. On a Saturday it is in Monday's."""
    facts = told(
        DayStarted(MONDAY, usd(1000), BEFORE),
        DayStarted(TUESDAY, usd(1510), MONDAY),
        DayStarted(WEDNESDAY, usd(1610), TUESDAY),
        DayStarted(THURSDAY, usd(1605), WEDNESDAY),
        paid(date(2026, 1, 3), 500),
        paid(BEFORE, 70),
        paid(WEDNESDAY, -5, ActivityKind.FEE),
        SharesMoved(
            ActivityId("s"), TUESDAY, ActivityKind.SHARES, Symbol("SPY"), Quantity(Decimal(1)), Price(Decimal(100)), ""
        ),
        SharesMoved(ActivityId("u"), TUESDAY, ActivityKind.SHARES, Symbol("SPY"), Quantity(Decimal(1)), None, ""),
    )

    days = account_days(facts, MONDAY, FRIDAY)
    worth = [day.equity for day in growth(days)]

    assert [day.moved for day in days] == [0, 500, 100, 0]
    assert worth == pytest.approx([1000, 1010, 1010, 1010 * 1605 / 1610])
    assert facts.unpriced == 1


def test_growth_without_transfers_is_equity() -> None:
    """AN-01"""
    days = [
        AccountDay(day, usd(amount))
        for day, amount in zip(SESSIONS, ("100", "100.07", "99.31", "100.01"), strict=False)
    ]

    assert [day.equity for day in growth(days)] == [100.0, 100.07, 99.31, 100.01]


def test_an_account_worth_nothing_grows_no_more() -> None:
    """AN-01"""
    days = [AccountDay(day, usd(amount)) for day, amount in zip(SESSIONS, (100, 0, 50, 60), strict=False)]

    assert np.isnan([day.equity for day in growth(days)]).tolist() == [False, False, True, True]


@given(st.lists(st.tuples(st.integers(50, 150), st.integers(-20, 20), st.booleans()), min_size=2, max_size=6))
def test_growth_links_daily_returns_as_numpy(made: list[tuple[int, int, bool]]) -> None:
    """AN-01: (equity − what moved since) / equity before, each known close after the one before"""
    made[0] = (made[0][0], 0, True)
    days = [
        AccountDay(day, usd(equity) if is_known else None, moved=usd(moved))
        for day, (equity, moved, is_known) in zip(SESSIONS, made, strict=False)
    ]

    known = np.flatnonzero([is_known for *_, is_known in made])
    equity = np.array([each for each, *_ in made], dtype=float)[known]
    since = np.cumsum([moved for _, moved, _ in made])[known]
    factors = (equity[1:] - np.diff(since)) / equity[:-1]
    found = np.array([day.equity for day in growth(days)])

    assert np.allclose(found[known], equity[0] * np.cumprod([1.0, *factors]), rtol=1e-9)
    assert np.isnan(found).sum() == len(made) - len(known)
