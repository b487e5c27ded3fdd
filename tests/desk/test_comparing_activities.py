"""The word for it among the commands."""

from __future__ import annotations

from core.messages.desk_commands import CompareActivities
from tests.desk.still_house import a_view, open_still


async def test_activities_are_compared_on_request() -> None:
    """EX-09"""
    async with open_still(a_view()) as house:
        await house.press("ctrl+p", *"activities", "enter")
        await house.until(lambda: house.handle.commands == [CompareActivities()])
        await house.until(lambda: "the log says what the broker lists" in house.footer())
