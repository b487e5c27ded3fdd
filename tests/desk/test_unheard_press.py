"""A halt and a kill that are pressed while no engine is there: they are said to be unheard, and are not lost by `q`."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.client import conversation
from console.client.access import NO_SURROUNDINGS, EngineLink, HostFiles
from console.client.remote import RemoteEngine
from console.desk import DeskApp
from console.screens.desk_control import LeaveScreen
from console.screens.kill import KillScreen
from core.model.desk import Seat
from state.desk_files import DeskFiles
from state.engine_socket import NoEngineError
from state.files import AccountFolder, Home
from state.kill_switch import FileKillSwitch, HaltRequest
from tests.desk.desk_house import House, _runtime
from tests.desk.still_house import a_view, open_still
from tests.kit import virtual_time
from tests.kit.waiting import TIMEOUT


def nobody() -> socket.socket:
    raise NoEngineError("the engine is not there")


def away(place: str = "") -> RemoteEngine:
    return RemoteEngine(lambda _role: nobody(), Seat("/dev/pts/7", "tester"), "tests", place=place)


@asynccontextmanager
async def a_desk(handle: RemoteEngine, surroundings: HostFiles = NO_SURROUNDINGS) -> AsyncIterator[House]:
    desk = DeskApp(handle, virtual_time.now, surroundings)
    async with desk.run_test(size=(120, 40)) as pilot:
        house = House(desk, pilot, _runtime())
        await house.sees("STARTING")
        try:
            yield house
        finally:
            handle.close("the test is over", TIMEOUT)


@pytest.fixture(autouse=True)
def _patient_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine comes in time for what was pressed: the link's thread need not wait for one by the wall's clock."""
    monkeypatch.setattr(conversation, "HEARD_WITHIN", 0.01)
    monkeypatch.setattr(conversation, "RETRY", 0.01)


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    return Home.of({"KEYTURN_HOME": str(tmp_path)}).account("demo")


@pytest.fixture
def files(tmp_path: Path, folder: AccountFolder) -> DeskFiles:
    return DeskFiles(Home.of({"KEYTURN_HOME": str(tmp_path)}), lambda: folder)


async def test_an_unheard_halt_is_left_for_the_engine(
    snapshot: SnapshotAssertion, files: DeskFiles, folder: AccountFolder
) -> None:
    """OP-07: `q` asks, and says it first"""
    async with a_desk(away(), files) as house:
        await house.press("ctrl+k")
        await house.sees("HALTING: the engine has not heard it yet")
        assert not house.shows("it starts halted")
        await house.press("escape", "q")
        await house.until(lambda: isinstance(house.desk.screen, LeaveScreen))
        await house.sees("HALT NOT HEARD YET: the engine does not know of it")

        await house.press("y")
        await house.until(lambda: not house.desk.is_running)
        house.desk.owed.leave_behind()

    assert str(HaltRequest(folder).asked_by()) == snapshot
    assert house.desk.owed.last_words() == snapshot


async def test_an_unheard_kill_sets_the_kill_switch(files: DeskFiles, folder: AccountFolder) -> None:
    """OP-07, OP-08"""
    async with a_desk(away(), files) as house:
        await house.press("ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))
        await house.press("K")
        await house.sees("KILLING: the engine has not heard it yet")

        house.desk.port.leave("the terminal hung up")

    assert FileKillSwitch(folder, {}).is_on() == "file"


async def test_over_ssh_an_unheard_halt_is_lost(snapshot: SnapshotAssertion) -> None:
    """OP-07, SY-01: and before there is an engine nothing can be resumed"""
    async with a_desk(away("eve@server")) as house:
        await house.press("ctrl+k")
        await house.sees("HALTING")
        await house.until(lambda: "K kill" in house.footer())
        assert "U resume" not in house.footer()
        await house.press("escape", "q")
        await house.sees("HALT NOT HEARD YET", "it is lost: `ssh eve@server")

        house.desk.owed.leave_behind()

        was_heard, words = house.desk.owed.last_words()
        assert not was_heard
        assert words == snapshot


def test_a_press_before_the_thread_is_owed() -> None:
    desk = away()

    assert desk.owes_press is None
    desk.press_kill()
    assert desk.owes_press == "halt"
    desk.press_kill_again()
    assert desk.owes_press == "kill"


async def test_unasked_commands_go_when_the_link_is_back() -> None:
    """SY-01"""
    async with open_still(a_view(proposals=())) as house:
        link = EngineLink()
        house.handle.link = link  # type: ignore[assignment]
        link.lose("the link broke: tried again in 1 s")
        house.handle.unsaid.append("not asked: the link broke: tried again in 1 s")
        await house.is_drawn()
        await house.until(lambda: "not asked: the link broke" in house.footer())

        link.hear()
        await house.is_drawn()

        assert "not asked" not in house.footer()
