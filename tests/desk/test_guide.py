"""The guide of the first start: once an installation, never in the way, never lost."""

from __future__ import annotations

import stat
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from console.client.handle import EngineHandle
from console.desk import DeskApp
from console.desk_commands import DeskCommands
from console.screens.first_start import ChordScreen, GuideScreen
from console.screens.kill import KillScreen
from console.screens.ticket import TicketScreen
from core.facts import Halted
from core.messages.desk_commands import TakeKey
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from core.views.desk import EngineFailed
from state.desk_files import DeskFiles
from state.files import Home
from tests.desk.desk_house import open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import a_view, open_still
from tests.desk.test_several_desks import eve, eve_takes


def files_in(folder: Path) -> DeskFiles:
    home = Home.of({"KEYTURN_HOME": str(folder)})
    return DeskFiles(home, lambda: home.account("demo"))


async def test_the_guide_opens_once() -> None:
    disk = Disk(is_new=True)
    async with open_still(a_view(), (80, 24), surroundings=disk) as house:
        await house.until(lambda: isinstance(house.desk.screen, GuideScreen))
        said = ("you turn the key", "B buys", "S sells", "Ctrl+K halts at once", "ENTRIES ON", "To leave")
        await house.until(lambda: house.shows(*said))
        assert all(len(line) <= 80 for line in house.picture().splitlines())
        await house.press("enter")
        await house.until(lambda: len(house.desk.screen_stack) == 1 and not disk.is_new)
        assert house.handle.commands == []
    async with open_still(a_view(), surroundings=disk) as house:
        await house.wait(0.3)
        assert len(house.desk.screen_stack) == 1


async def test_the_chord_works_over_the_guide() -> None:
    """OP-07: and no guide comes over a ticket"""
    async with open_desk(surroundings=Disk(is_new=True)) as house:
        await house.until(lambda: isinstance(house.desk.screen, GuideScreen))
        await house.press("escape")
        await house.opens_the_ticket()
        house.desk.errands.welcome(True)
        assert isinstance(house.desk.screen, TicketScreen)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        house.desk.errands.welcome(True)
        await house.until(lambda: isinstance(house.desk.screen, GuideScreen))
        await house.press("ctrl+k")
        await house.until(lambda: house.facts(Halted) and isinstance(house.desk.screen, KillScreen))


async def test_it_never_lies_over_a_start_that_failed() -> None:
    """DESK: the message says what to do"""

    def refused(_stack: ExitStack) -> VirtualRuntime:
        raise OperatorError("the lock is held by process 7")

    desk = DeskApp(EngineHandle(refused), surroundings=Disk(is_new=True))
    async with desk.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        assert isinstance(desk.handle.view, EngineFailed)
        assert not isinstance(desk.screen, GuideScreen)


def test_the_guide_stays_closed_after_reading(tmp_path: Path) -> None:
    """Permissions as those of the account folder"""
    files = files_in(tmp_path)
    assert files.is_first_start()
    files.guide_was_closed()
    assert not files_in(tmp_path).is_first_start()
    assert stat.S_IMODE(files.home.guide.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.home.state.stat().st_mode) == 0o700


def test_written_files_are_private_and_never_lost(tmp_path: Path) -> None:
    """Permissions as those of the account folder"""
    files = files_in(tmp_path)
    files.folder().prepare()

    first, second = files.write("log-1.txt", "one\n"), files.write("log-1.txt", "two\n")

    assert (Path(first).name, Path(second).name) == ("log-1.txt", "log-1-2.txt")
    assert (Path(first).read_text(), Path(second).read_text()) == ("one\n", "two\n")
    assert stat.S_IMODE(Path(first).stat().st_mode) == 0o600


async def test_a_brokers_desk_asks_for_the_chord_once() -> None:
    """OP-07: some terminals keep Ctrl+K for themselves."""
    disk = Disk(asks_for_chord=True)
    async with open_desk((80, 24), surroundings=disk) as house:
        await house.until(lambda: isinstance(house.desk.screen, ChordScreen))
        await house.until(lambda: house.shows("Press Ctrl+K now", "F10 does", "keyturn kill"))
        await house.press("ctrl+k")
        await house.until(lambda: house.facts(Halted) and isinstance(house.desk.screen, KillScreen))
        await house.press("escape")
        await house.until(lambda: isinstance(house.desk.screen, ChordScreen))
        await house.until(lambda: house.shows("Ctrl+K received"))
        await house.press("enter")
        await house.until(lambda: len(house.desk.screen_stack) == 1 and not disk.asks_for_chord)
        assert house.sent_nothing()
    async with open_still(a_view(), surroundings=disk) as house:
        await house.wait(0.3)
        assert len(house.desk.screen_stack) == 1


async def test_a_missing_chord_is_asked_for_again() -> None:
    """OP-07"""
    disk = Disk(is_new=True, asks_for_chord=True)
    async with open_still(a_view(), surroundings=disk) as house:
        await house.until(lambda: isinstance(house.desk.screen, GuideScreen))
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, ChordScreen))
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
    assert disk.asks_for_chord
    assert not disk.is_new


def test_without_a_broker_no_chord_is_asked_for(tmp_path: Path) -> None:
    """OP-07: the demo never asks."""
    assert not files_in(tmp_path).must_try_chord()
    real = replace(files_in(tmp_path), is_real=True)
    assert real.must_try_chord()
    real.chord_was_received()
    assert not real.must_try_chord()


async def test_the_chord_is_asked_for_by_a_key_holder() -> None:
    """OP-07, OP-13: a watcher is asked when it first holds the key"""
    disk = Disk(asks_for_chord=True)
    async with open_desk(surroundings=disk) as house:
        await house.until(lambda: isinstance(house.desk.screen, ChordScreen))
        await house.sees("It halts the engine, for all who are attached")
        await eve_takes(house, await eve(house))
        await house.until(lambda: len(house.desk.screen_stack) == 1)
    async with open_desk(surroundings=disk, ready=False) as house:
        house.desk.errands.look_whether_first = lambda: None  # type: ignore[method-assign]
        await house.until(lambda: house.desk.view is not None)
        await eve_takes(house, await eve(house))
        DeskCommands.look_whether_first(house.desk.errands)
        await house.wait(0.3)
        assert len(house.desk.screen_stack) == 1

        hold = house.runtime.engine.state.desks.hold
        house.desk.handle.send(TakeKey("TAKE", hold))

        await house.until(lambda: isinstance(house.desk.screen, ChordScreen))
