"""What was recorded is shown at once: nobody who turned a key waits for the next frame of the prices."""

from __future__ import annotations

import pytest

from tests.desk.desk_house import open_desk


async def test_a_desk_without_frames_shows_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-03: only news can have drawn it."""
    monkeypatch.setattr("console.desk.FRAMES", 0.001)
    async with open_desk() as house:
        await house.until(lambda: house.shows("1 waiting"))

        await house.press("x", "enter")

        await house.until(lambda: house.shows("No proposals"))
