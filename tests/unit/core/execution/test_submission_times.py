"""When orders left our own queue."""

from __future__ import annotations

from datetime import timedelta

from core.execution.latency import Departures
from core.model.values import ClientOrderId
from tests.unit.core.execution.books import TEN


def test_submission_times_are_kept_for_a_week() -> None:
    """EX-22, EX-06: a desk that runs for months does not grow"""
    departing = Departures()
    for day in range(60):
        departing.queue(ClientOrderId(f"o-{day}"))
        departing.leave(ClientOrderId(f"o-{day}"), TEN + timedelta(days=day))
        departing.leave(ClientOrderId(f"o-{day}"), TEN + timedelta(days=day, hours=1))
        departing.end(ClientOrderId(f"o-{day}"))

    assert list(departing._left_at) == [f"o-{day}" for day in range(53, 60)]
    assert departing._left_at[ClientOrderId("o-59")] == TEN + timedelta(days=59)
    assert departing._waiting == set()
