"""What was recorded is shown at once: nobody who turned a key waits for the next frame of the prices."""

from __future__ import annotations

from console.display import Display
from tests.desk.desk_house import open_desk


async def test_a_desk_without_frames_shows_what_was_recorded() -> None:
    """OP-03: only news can have drawn it."""
    async with open_desk(display=Display(frames=0.001)) as house:
        await house.until(lambda: house.shows("1 waiting"))

        await house.press("x", "enter")

        await house.until(lambda: house.shows("No proposals"))
