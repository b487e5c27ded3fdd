"""Where a time that is shown is not of today, the day stands with it: status lines, panes, a basket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.views import LogRow
from tests.desk.still_house import a_position, a_protection, a_view, open_still
from tests.desk.test_kill_screen_crowded import a_halt, a_kill
from tests.kit.rows import each
from widgets import format as f

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
DAYS = timedelta(days=3)


@each(
    ("at", "told"),
    [
        (NOW, "10:00:00"),
        (datetime(2026, 11, 21, 5, 0, tzinfo=UTC), "00:00:00"),
        (datetime(2026, 11, 21, 4, 59, tzinfo=UTC), "20 Nov 23:59:00"),
        (datetime(2026, 11, 7, 21, 30, tzinfo=UTC), "7 Nov 16:30:00"),
        (datetime(2025, 11, 7, 21, 30, tzinfo=UTC), "7 Nov 2025 16:30:00"),
        (None, f.UNKNOWN),
    ],
)
def test_a_time_of_another_day_shows_the_day(at: datetime | None, told: str) -> None:
    """OP-07"""
    assert f.dated_clock(at, NOW) == told


@pytest.mark.parametrize(("state", "field", "word"), [(a_halt, "halted_at", "HALTED"), (a_kill, "killed_at", "KILLED")])
async def test_a_halt_of_days_ago_names_its_day(state, field: str, word: str) -> None:  # type: ignore[no-untyped-def]
    """OP-07: on the status lines, and on the screen of the kill."""
    at = a_view().status.at - DAYS
    day = f.dated_clock(at, a_view().status.at)
    assert day.count(" ") >= 1
    async with open_still(a_view(status={**state(), field: at})) as house:
        await house.sees(f"{word} since {day}")
        await house.press("ctrl+k")
        await house.sees(f"{word} {day}" if word == "HALTED" else f"KILLED since {day} by key")


async def test_panes_name_another_day() -> None:
    """OP-07, MD-04: a tripped protection, an old price, a line of the log"""
    at = a_view().status.at - DAYS
    day = f.dated_clock(at, a_view().status.at)
    view = a_view(
        protections=(a_protection(is_tripped=True, since=at),),
        positions=(a_position(last_at=at),),
        log=(LogRow(1, at, "desk", "it was halted then"),),
    )
    async with open_still(view) as house:
        await house.press("2", "down")
        await house.sees("TRIPPED since 2 Jan", f"old, of {day}")
        await house.sees("2 Jan: it was halted then")
