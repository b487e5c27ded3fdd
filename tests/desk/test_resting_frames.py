"""Frames of a desk at rest: none is drawn that would show what is on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from console.client.access import EngineLink
from console.frame_loop import RESTED, SETTLES
from tests.desk.still_house import StillHouse, a_view, open_still


class Instants:
    at = 100.0

    def __call__(self) -> float:
        return self.at


@asynccontextmanager
async def open_resting() -> AsyncIterator[StillHouse]:
    """A desk on which nothing has changed for a while."""
    now = Instants()
    async with open_still(a_view(proposals=()), now=now) as house:
        house.desk.frames.still_for()
        now.at += max(RESTED, SETTLES)
        yield house


def _is_silent(house: StillHouse) -> None:
    now = Instants()
    house.handle.link = EngineLink(now)  # type: ignore[assignment]
    now.at += 2.0


CHANGES: dict[str, Callable[[StillHouse], object]] = {
    "another view": lambda house: house.handle.show(staged=1),
    "a request that was not asked": lambda house: house.handle.unsaid.append("not asked: x"),
    "a press that no engine heard": lambda house: setattr(house.handle, "owes_press", "halt"),
    "a silent engine": _is_silent,
    "a message on the last line": lambda house: house.desk.say("written"),
}


async def test_a_desk_at_rest_draws_once_a_second() -> None:
    async with open_resting() as house:
        at = house.handle.view.status.at.timestamp()  # type: ignore[union-attr]
        assert house.desk.frames.still_for() == 1 - at % 1


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changes_is_drawn_at_once(change: str) -> None:
    """OP-04, OP-07"""
    async with open_resting() as house:
        CHANGES[change](house)

        assert house.desk.frames.still_for() == 0


async def test_a_changed_view_wakes_a_resting_desk() -> None:
    """OP-04"""
    async with open_resting() as house:
        house.desk._frame_or_rest()
        assert house.desk._is_resting

        house.handle.show(proposals=a_view().proposals)
        house.handle.on_change()
        await house.until(lambda: not house.desk._is_resting)

        await house.sees("1 waiting")


async def test_a_key_ends_the_rest() -> None:
    """OP-04"""
    async with open_resting() as house:
        house.desk._frame_or_rest()
        await house.press("down")

        assert not house.desk._is_resting
