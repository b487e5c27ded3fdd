"""`Ctrl+P` keeps the panes that are shown under a name; `L` comes by them; a file that is wrong is named."""

from __future__ import annotations

import pytest

from console.screens.commands import CommandsScreen
from console.screens.keep_layout import KeepLayoutScreen
from tests.desk.desk_house import House
from tests.desk.hands import Disk
from tests.desk.still_house import a_view, open_still

SIZES = [(80, 24), (120, 40), (200, 60)]
WRONG = 'one = ["watch", "moon"]'


async def keeps(house: House, name: str) -> None:
    await house.press("ctrl+p")
    await house.until(lambda: isinstance(house.desk.screen, CommandsScreen))
    await house.press(*"keep this layout", "enter")
    await house.until(lambda: isinstance(house.desk.screen, KeepLayoutScreen))
    await house.press(*name, "enter")


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_shown_is_kept_and_found_again(size: tuple[int, int]) -> None:
    disk = Disk()
    async with open_still(a_view(), size, surroundings=disk) as house:
        await house.press("6", "0")
        await house.sees("0 History")
        shown = house.desk.board._layout.names()
        await keeps(house, "mine")
        await house.until(lambda: "mine" in house.desk.board.own_layouts)
        await house.sees("layout mine: kept in /settings/layouts/mine.toml")
        for name in ("watch", "review", "mine"):
            await house.press("L")
            await house.sees(f"layout {name}")
        assert house.desk.board._layout.names() == shown
        await house.press("L")
        await house.sees("layout trade")


async def test_one_is_taken_back_after_it_is_named_and_a_shipped_name_is_refused() -> None:
    disk = Disk()
    async with open_still(a_view(), surroundings=disk) as house:
        await keeps(house, "mine")
        await house.until(lambda: "mine" in house.desk.board.own_layouts)
        await keeps(house, "trade")
        await house.sees("trade is shipped; call yours otherwise")
        await house.press(*(["backspace"] * 5), *"drop min")
        await house.sees("there is no layout min of yours", "Yours: mine")
        await house.press("enter")
        assert "mine.toml" in disk.of_the_operator["layouts"]
        await house.press("e")
        await house.sees("Enter removes the layout mine")
        await house.press("enter")
        await house.until(lambda: not house.desk.board.own_layouts)
        assert disk.of_the_operator["layouts"] == {}


async def test_a_file_that_is_wrong_is_named_and_loses_nothing() -> None:
    disk = Disk(of_the_operator={"layouts": {"odd.toml": WRONG}})
    async with open_still(a_view(), (120, 40), surroundings=disk) as house:
        await house.sees("layouts/odd.toml: one: there is no pane 'moon'")
        assert disk.of_the_operator["layouts"] == {"odd.toml": WRONG}
