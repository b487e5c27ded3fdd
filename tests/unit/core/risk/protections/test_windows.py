"""Windows that are asked of any time, against plain sums."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.risk.protections.closed_trades import EquityCourse, RollingCourse, RunningTotal, course_of
from tests.unit.core.brokers.trading_floor import at

NOON = at("12:00")
steps = st.lists(st.tuples(st.integers(0, 5), st.integers(-50, 50), st.integers(0, 12)), max_size=30)


@settings(max_examples=24)
@given(steps, st.integers(0, 20))
def test_a_course_is_that_of_later_profits(found: list[tuple[int, int, int]], back: int) -> None:
    """RK-04: and nothing changes by asking"""
    rolling, minute, profits = RollingCourse(), 0, []
    for wait, profit, window in found:
        minute += wait
        rolling.add(NOON + timedelta(minutes=minute), Decimal(profit))
        rolling.drop_until(NOON + timedelta(minutes=minute - window))
        profits = [(m, p) for m, p in [*profits, (minute, profit)] if m > minute - window]
    kept = deepcopy(rolling)

    young = [Decimal(profit) for m, profit in profits if m > minute - back]
    course = EquityCourse()
    for profit in young:
        course = course.then(course_of(profit))

    assert rolling.since(NOON + timedelta(minutes=minute - back)) == (len(young), course)
    assert rolling == kept


@settings(max_examples=24)
@given(steps, st.integers(0, 20))
def test_a_running_total_answers_for_any_time(found: list[tuple[int, int, int]], back: int) -> None:
    """RK-04"""
    total, minute, figures = RunningTotal(), 0, []
    for wait, figure, _ in found:
        minute += wait
        total.add(NOON + timedelta(minutes=minute), Decimal(figure))
        figures.append((minute, figure))
    total.forget_until(NOON + timedelta(minutes=minute - 20))

    assert total.by(NOON + timedelta(minutes=minute - back)) == sum(f for m, f in figures if m <= minute - back)
    assert all(when > NOON + timedelta(minutes=minute - 20) for when in total.times)
