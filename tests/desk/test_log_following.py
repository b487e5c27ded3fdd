"""A log that follows has its cursor at its end: the keys go on from there."""

from __future__ import annotations

from typing import Any

from core.views import LogRow
from tests.desk.still_house import StillHouse, a_view, open_still

COUNT = 60


def a_log(count: int = COUNT) -> tuple[LogRow, ...]:
    at = a_view().status.at
    return tuple(LogRow(sequence=number, at=at, kind="desk", text=f"line {number:03}") for number in range(count))


def selected(house: StillHouse) -> str | None:
    return house.desk.board.log.grid.selected


def shown(house: StillHouse) -> Any:
    return [line[10:].split("│")[0] for line in house.picture().splitlines() if "desk      line" in line]


async def test_the_cursor_is_at_the_end_while_it_follows() -> None:
    """Up and k leave it, f and Down come back; Enter opens the newest; dropped lines keep it; unfocused shows none"""
    async with open_still(a_view(log=a_log())) as house:
        assert not any("▹ " in line and "line 0" in line for line in house.picture().splitlines())
        opened: list[tuple[str, str]] = []
        house.desk.errands.open_detail = lambda pane, key: opened.append((pane, key))  # type: ignore[method-assign]
        await house.press("6")
        for key in ("k", "up"):
            assert selected(house) == str(COUNT - 1)
            await house.press(key)
            assert selected(house) == str(COUNT - 2)
            await house.sees("f follows")
            await house.press("f")
        await house.shows_next(log=a_log(COUNT + 1))
        await house.press("enter")
        assert opened == [("log", str(COUNT))]
        await house.sees("following")

        await house.press("j")
        await house.shows_next(log=a_log(COUNT + 2))
        assert selected(house) == str(COUNT + 1)
        await house.sees("following")

        await house.press("k", "k")
        await house.shows_next(log=a_log(COUNT + 5))
        assert selected(house) == str(COUNT - 1)
        await house.press("f")
        await house.shows_next(log=a_log(COUNT + 6))
        assert selected(house) == str(COUNT + 5)

        await house.shows_next(log=a_log(COUNT + 40)[40:])
        await house.press("k")
        assert selected(house) == str(COUNT + 38)


async def test_severity_stands_beside_the_kind() -> None:
    """EX-07, EX-14: also on a narrow screen."""
    at = a_view().status.at
    rows = (
        LogRow(1, at, "HALT", "CRITICAL: HALTED (invariant) it broke", "CRITICAL"),
        LogRow(2, at, "order", "ERROR: 1b2c cancel failed: no answer", "ERROR"),
    )
    async with open_still(a_view(log=rows), (80, 24)) as house:
        await house.press("6")
        await house.until(lambda: house.shows("HALT      CRITICAL: HALTED (invariant) it broke"))
        await house.sees("order     ERROR: 1b2c cancel failed: no answer")
