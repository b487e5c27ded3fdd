"""A desk over a real sshd on loopback: a trade and a cut link, two terminals, and an engine that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from state.files import Home
from tests.kit.tools import needs
from tests.real.demo import PROGRAM, mark_guide_as_read
from tests.real.ssh_server import Server
from tests.real.terminal import AGAIN, Pty
from tests.real.tools import relays_on
from tests.real.waiting import until

pytestmark = needs("sshd", "ssh", "ssh-keygen")

DESTINATION = "keyturn-server"
SIZE = 140, 44
FAST = 300.0
AWAY, LOST = "While you were away", "LOST    Engine disconnected"


class RemoteDesk(Pty):
    """While one is read, all are: a terminal that takes nothing in has its keys dropped."""

    open: ClassVar[list[RemoteDesk]] = []

    def __init__(self, server: Server, home: Path) -> None:
        mark_guide_as_read(home)
        Home.of({"KEYTURN_HOME": str(home)}).chord.touch(0o600)
        self.server = server
        variables = {**server.variables(), "KEYTURN_HOME": str(home)}
        super().__init__([PROGRAM, "--host", DESTINATION], variables, SIZE)
        self.open.append(self)

    def __exit__(self, *error: object) -> None:
        self.open.remove(self)
        super().__exit__(*error)

    def _read(self, seconds: float) -> None:
        super()._read(seconds)
        for other in self.open:
            if other is not self:
                Pty._read(other, 0)

    def until_sold(self) -> None:
        self.until(lambda: any("SELL to close" in line and "FILLED" in line for line in self.screen.display))

    def cuts(self) -> None:
        """Kill the ssh below this desk."""
        told = subprocess.run(
            ["ps", "--ppid", str(self.pid), "-o", "pid=,comm="], capture_output=True, text=True, check=False
        )
        (process,) = [int(line.split()[0]) for line in told.stdout.splitlines() if line.split()[1] == "ssh"]
        os.kill(process, signal.SIGKILL)

    def confirms_it(self) -> None:
        self.confirms(lambda: len(self.server.confirmed()))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.opens()
    made.starts_engine()
    yield made
    made.ends()


def attached(server: Server, *, is_first: bool) -> RemoteDesk:
    """ssh asks about the host key on the terminal; then the desk is there."""
    desk = RemoteDesk(server, server.folder / "client")
    if is_first:
        desk.until_it_shows("continue connecting")
        desk.type(b"yes\r")
    desk.until_it_shows("ENTRIES ON")
    return desk


def opens_first(desk: RemoteDesk, opened: Callable[[], object]) -> None:
    """The ticket of the first proposal; on a slow machine the desk has been away before."""

    def opens() -> None:
        if desk.shows(AWAY):
            desk.type(b"\x1b")
        elif not desk.shows("╭"):
            desk.type(b"1\r")
        elif desk.may_open_again():
            desk.type(b"r")
        desk.read_until(opened, AGAIN)

    desk.until_it_shows("1 waiting")
    until(opened, desk.what_it_shows, opens)


def test_a_signed_exit_goes_out_while_the_link_is_cut(server: Server) -> None:
    """SY-01, SY-09, OP-13: the desk says so, stays readable, confirms nothing, and is back by itself; another attaches
    after it has left
    """
    with attached(server, is_first=True) as desk:
        desk.until_it_shows("control: this desk")
        opens_first(desk, lambda: desk.shows("needs your key"))
        desk.presses(b"u", lambda: desk.shows("UNATTENDED until the close"))
        desk.until(desk.is_armed)
        desk.confirms_it()
        desk.until_it_shows("FILLED")
        (confirmed,) = server.confirmed()
        assert "127.0.0.1" in str(confirmed), confirmed

        server.shuts()
        desk.cuts()
        desk.until(lambda: desk.shows("ENGINE AWAY") and desk.shows("Connection refused"))
        assert desk.shows("SPY")
        server.sets_speed(FAST)
        until(lambda: {"ExitReleased", "TradeClosed"} <= set(server.facts()), "the exit", lambda: desk.read_for(0.5))
        server.sets_speed(1)

        server.opens()
        desk.until(lambda: not desk.shows("ENGINE AWAY"))
        desk.until_it_shows(AWAY)
        desk.presses(b"\x1b", lambda: not desk.shows(AWAY))
        desk.until_sold()
        by_hand = [record["data"]["turn"] is not None for record in server.confirmed()]
        assert by_hand == [True, False], "the exit was released by the engine, by what was signed"
        assert desk.leaves() == 0
        until(lambda: not relays_on(server.home), "no relay is left")
        assert server.listens()
    with attached(server, is_first=False) as desk:
        desk.until_sold()
        assert desk.leaves() == 0


def test_a_key_that_moved_confirms_nothing(server: Server) -> None:
    """SY-01, OP-13: two terminals; the second takes the key under an armed ticket, then the engine is killed"""
    with attached(server, is_first=True) as first, attached(server, is_first=False) as second:
        opens_first(first, first.is_armed)

        def takes() -> None:
            second.presses(b"T", lambda: second.shows("Take the key?"))
            second.type(b"TAKE" if second.shows("TAKE") else b"D")
            second.read_for(1.5)

        until(lambda: second.shows("control: this desk"), second.what_it_shows, takes)
        first.until(lambda: not first.shows("control: this desk"))
        first.type(b"B")
        until(lambda: "HANDED_OVER" in str(server.records("TicketClosed")).upper(), "the ticket is closed")

        opens_first(second, second.is_armed)
        assert not server.confirmed()
        server.kills_engine()
        for desk in (first, second):
            desk.until_it_shows("ENGINE AWAY")
        second.type(b"B")

        server.starts_engine()
        for desk in (first, second):
            desk.until(lambda desk=desk: not desk.shows("ENGINE AWAY"))
        second.until_it_shows(LOST)
        second.presses(b"\r", lambda: not second.shows(LOST))
        assert (first.leaves(), second.leaves()) == (0, 0)
        assert not server.confirmed()
        assert not server.records("OrderCreated")
    until(lambda: not relays_on(server.home), "no relay is left")
