"""What an engine says of itself for the watchdog, and how it starts after the watchdog gave up."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Halt, Resume
from core.model.codes import HaltCause
from core.runtime.virtual import VirtualRuntime
from state.files import AccountFolder, Home
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch, HaltRequest
from state.running_engine import Status, listens, read_heartbeat
from tests.scenarios.backtests import Keyturn
from tests.scenarios.house import House, at, minutes, to

WHY = "the watchdog: the engine ended 4 times in 10 minutes"


def demo(tmp_path: Path, stack: ExitStack) -> VirtualRuntime:
    runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path)}), DemoOptions(), stack)
    runtime.pace.speed = None
    return runtime


def demo_account(tmp_path: Path) -> AccountFolder:
    return Home.of({"KEYTURN_HOME": str(tmp_path)}).account("demo")


def test_the_start_after_the_watchdog_gave_up_is_halted(tmp_path: Path) -> None:
    """SY-02: before it took anything of the market in; a person resumes it as any halt by key."""
    folder = demo_account(tmp_path)
    folder.prepare()
    HaltRequest(folder).leave(WHY)

    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        door = CommandPort(PortKind.SCRIPT)
        runtime.admit(door.known)
        runtime.step()
        runtime.beat()
        runtime.step()
        runtime.beat()
        control = runtime.engine.state.control
        assert control.halts == {HaltCause.KEY: f"by {WHY}"}
        assert HaltRequest(folder).asked_by() is None
        assert f"halted by {WHY}" in runtime.engine.notes

        runtime.obey(door.through(to(runtime, Resume())))
        runtime.beat()
        assert control.halts == {}


def test_status_shows_that_the_next_start_is_halted(
    keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02"""
    folder = demo_account(tmp_path / "home")
    with ExitStack() as stack:
        demo(tmp_path / "home", stack).step()
    assert keyturn("status", "--json").json["halt_request"] is None

    HaltRequest(folder).leave(WHY)

    answer = keyturn("status")
    assert (answer.code, answer.lines[-1]) == (3, snapshot)
    assert keyturn("status", "--json").json["halt_request"] == WHY


def test_a_halt_request_outlives_an_early_death(tmp_path: Path) -> None:
    """SY-02"""
    folder = demo_account(tmp_path)
    folder.prepare()
    HaltRequest(folder).leave(WHY)

    with ExitStack() as stack:
        demo(tmp_path, stack).beat()  # the command waits in its inbox

    assert HaltRequest(folder).asked_by() == WHY


def test_a_halted_engine_takes_the_request_too(tmp_path: Path) -> None:
    """SY-02: the request is not left for a later start, which would halt without a reason."""
    folder = demo_account(tmp_path)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.obey(to(runtime, Halt("key")))
        HaltRequest(folder).leave(WHY)

        runtime.beat()

        assert HaltRequest(folder).asked_by() is None
        assert f"halted by {WHY}" in runtime.engine.notes


def test_an_engine_listens_for_thread_dumps(tmp_path: Path) -> None:
    """SY-02"""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        assert listens(demo_account(tmp_path), os.getpid())


@dataclass
class Kept:
    """A house whose keeper's beats are written down."""

    house: House
    keeper: Housekeeping
    beats: list[Status] = field(default_factory=list)

    def silence(self) -> int | None:
        self.keeper.look(self.house.line)
        return self.beats[-1].data_silent_seconds


def kept(tmp_path: Path, house: House) -> Kept:
    folder = AccountFolder(tmp_path / "house")
    folder.prepare()
    beats: list[Status] = []
    switch = FileKillSwitch(folder, {})
    keeper = Housekeeping(folder, switch, lambda: None, beats.append, lambda _: "on", saved_at=math.inf)
    return Kept(house, keeper, beats)


def test_the_heartbeat_counts_the_silence_of_a_session(tmp_path: Path) -> None:
    """SY-02: by steps of half a minute, from the last bar on."""
    found = kept(tmp_path, House(minutes("09:30", "09:59")).opens())
    found.silence()

    found.house.until("10:00:10")
    assert found.silence() == 0
    found.house.until("10:00:40")
    assert found.silence() == 30
    found.house.until("10:12:00")
    assert found.silence() == 720


def test_outside_a_session_no_silence_is_counted(tmp_path: Path) -> None:
    """SY-02, RK-20"""
    found = kept(tmp_path, House(minutes("15:30", "15:59")).opens())
    found.silence()

    found.house.until("16:30")

    assert found.silence() is None


def test_a_late_start_is_no_silence(tmp_path: Path) -> None:
    """SY-02: what was not heard before the start is nobody's fault."""
    found = kept(tmp_path, House(minutes("11:00", "11:30")).opens())
    found.house.line.at = at("10:50")

    assert found.silence() == 0
    found.house.line.at += timedelta(seconds=95)
    assert found.silence() == 90


def test_an_older_heartbeat_has_no_silence(tmp_path: Path) -> None:
    """SY-02"""
    folder = AccountFolder(tmp_path / "paper")
    folder.prepare()
    folder.heartbeat.write_text(
        '{"state":"on","pid":7,"mode":"paper","positions":0,"orders_working":0,"orders_sent":0,'
        '"proposals_waiting":0,"journal_sequence":5,"account":"paper"}\n'
    )

    status, _ = read_heartbeat(folder) or (None, None)

    assert status is not None
    assert status.data_silent_seconds is None
