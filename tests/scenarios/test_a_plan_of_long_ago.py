"""A basket that ran when its desk was left, and is told of after more days than the ledger remembers (EX-10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import DayStarted
from core.model.order import Side
from core.model.values import Money, Quantity
from tests.scenarios.house import assert_can_be_rebuilt
from tests.scenarios.plans import answers, marks, passes, runs_out, signs, the_plan
from tests.scenarios.test_a_plan import a_rebalance


@pytest.fixture(autouse=True, scope="module")
def a_short_memory() -> Iterator[None]:
    """What has ended is forgotten at the next day's beginning, as in the desk after a week."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.execution.order_retention.KEPT", timedelta(0))
        yield


def test_the_report_counts_what_filled_before_a_week_in_which_the_desk_was_off() -> None:
    """EX-10: the ledger had forgotten the orders by then, and the report said that nothing had filled"""
    house = a_rebalance(limit="105")
    marks(house)
    signs(house)
    passes(house, 70)

    house.desk.record(DayStarted(house.desk.at.date(), Money(Decimal(20_000))))
    answers(house, goes_on=False)
    report = runs_out(house)

    assert [line.filled for line in report.lines if line.side is Side.SELL].count(Quantity(Decimal(60))) == 5
    assert the_plan(house).end_reason.startswith("5 of 14 filled")
    assert_can_be_rebuilt(house)
