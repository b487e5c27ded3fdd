"""`Ctrl+P` keeps the panes that are shown under a name; `L` comes by them; a file that is wrong is named."""

from __future__ import annotations

from console.screens.commands import CommandsScreen, KeepLayoutScreen
from console.screens.first_start import GuideScreen
from tests.desk.desk_house import House
from tests.desk.hands import Disk
from tests.desk.still_house import a_view, open_still

WRONG = 'one = ["watch", "moon"]'


async def keeps(house: House, name: str) -> None:
    await house.press("ctrl+p")
    await house.until(lambda: isinstance(house.desk.screen, CommandsScreen))
    await house.press(*"keep this layout", "enter")
    await house.until(lambda: isinstance(house.desk.screen, KeepLayoutScreen))
    await house.press(*name, "enter")


async def test_what_is_shown_is_kept_and_found_again() -> None:
    disk = Disk()
    async with open_still(a_view(), (80, 24), surroundings=disk) as house:
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


async def test_a_taken_name_needs_a_second_enter_and_drop_takes_one_back() -> None:
    disk = Disk()
    async with open_still(a_view(), surroundings=disk) as house:
        await keeps(house, "mine")
        await house.until(lambda: "mine" in house.desk.board.own_layouts)
        before = disk.of_the_operator["layouts"]["mine.toml"]
        await house.press("6", "0")
        await keeps(house, "Mine")
        await house.sees("mine is yours already: Enter again writes over it", "drop NAME takes one back")
        assert disk.of_the_operator["layouts"]["mine.toml"] == before
        await house.press("enter")
        await house.until(lambda: not isinstance(house.desk.screen, KeepLayoutScreen))

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


async def test_every_wrong_file_is_named_once_and_loses_nothing() -> None:
    layouts = {f"bad{number}.toml": WRONG for number in range(8)}
    presets = {"F5.toml": "stop = 1", "F6.toml": "", "F9.toml": ""}
    disk = Disk(is_new=True, of_the_operator={"layouts": {**layouts}, "presets": presets})
    async with open_still(a_view(), (80, 24), surroundings=disk) as house:
        await house.until(lambda: isinstance(house.desk.screen, GuideScreen))
        await house.press("enter", "6")
        house.desk.errands.look_for_layouts()

        def told() -> list[str]:
            rows = [line.row for line in house.desk.board.log.shown()]
            return [row.text.partition(": ")[0] for row in rows if row.kind == "file"]

        await house.until(lambda: len(told()) >= len(layouts) + len(presets))
        await house.wait(0.2)
        assert sorted(told()) == sorted(
            [*(f"layouts/{name}" for name in layouts), *(f"presets/{name}" for name in presets)]
        )
        await house.press("z", "end")
        await house.sees("layouts/bad7.toml: one: there is no pane 'moon'", "presets/F9.toml: there is no such preset")
        await house.press("enter")
        await house.until(lambda: house.shows("a note, not in the journal", ".toml: "))
        assert disk.of_the_operator["layouts"] == layouts
