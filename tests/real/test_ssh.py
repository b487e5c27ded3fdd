"""`make remote`: the real `keyturn --host` over a real sshd on loopback, typed through in a terminal, step by step.

Each step is checked by what the screens show and by what the journal holds. Argument: a folder for the last screens.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from state.folders import Home
from tests.real.demo import PROGRAM, mark_guide_as_read
from tests.real.ssh_server import SSHD, Server, until
from tests.real.terminal import Pty

DESTINATION = "keyturn-server"
SIZE = 140, 44
FAST = 300.0

TRIES = 10


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

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.screen.display)

    def until_it_shows(self, *texts: str) -> None:
        self.until(lambda: all(map(self.shows, texts)))

    def until_armed(self) -> None:
        self.until(lambda: any("armed" in line and "armed in" not in line for line in self.screen.display))

    def until_sold(self) -> None:
        self.until(lambda: any("SELL to close" in line and "FILLED" in line for line in self.screen.display))

    def ssh(self) -> int | None:
        told = subprocess.run(
            ["ps", "--ppid", str(self.pid), "-o", "pid=,comm="], capture_output=True, text=True, check=False
        )
        found = [int(line.split()[0]) for line in told.stdout.splitlines() if line.split()[1] == "ssh"]
        return found[0] if found else None

    def cuts(self) -> None:
        process = self.ssh()
        assert process is not None
        os.kill(process, signal.SIGKILL)

    def leaves(self) -> int:
        for _ in range(TRIES):  # a dialog that is just closing takes the first
            self.type(b"q")
            self.read_for(1.0)
            if self.shows("Leave?"):
                break
        else:
            raise AssertionError(f"q does not ask whether to leave; {self.what_it_shows()}")
        self.type(b"y")
        return self.ended()


@contextmanager
def step(words: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    sys.stdout.write(f"ok   {words} ({time.monotonic() - began:.1f} s)\n")
    sys.stdout.flush()


def attached(server: Server, home: Path, *, is_first: bool) -> RemoteDesk:
    desk = RemoteDesk(server, home)
    if is_first:
        desk.until_it_shows("continue connecting")
        desk.type(b"yes\r")
    desk.until_it_shows("ENTRIES ON")
    return desk


def a_trade_and_a_cut(server: Server, home: Path, screens: Path) -> None:
    with step("ssh asks about the host key on the terminal; then the desk is there, with the key"):
        desk = attached(server, home, is_first=True)
    with desk:
        desk.until_it_shows("key: this desk")
        with step("a proposal is bought over ssh, its exits signed with u"):
            desk.until_it_shows("1 waiting")
            desk.type(b"\r")
            desk.until_it_shows("needs your key")
            desk.type(b"u")
            desk.until_it_shows("UNATTENDED until the close")
            desk.read_for(0.5)
            desk.until_armed()
            desk.type(b"B")
            desk.until_it_shows("FILLED")
            (confirmed,) = [record for record in server.records() if record["fact"] == "ConfirmationReceived"]
            assert "127.0.0.1" in str(confirmed), confirmed
        with step("ssh is killed and the server takes nobody in: the desk says so, stays readable, confirms nothing"):
            server.shuts()
            desk.cuts()
            desk.until_it_shows("ENGINE AWAY", "Connection refused", "nothing is asked or confirmed")
            assert desk.shows("SPY")
            keep(desk, screens, "remote-cut")
        with step("meanwhile the signed exit goes out"):
            server.sets_speed(FAST)
            desk.read_for(1.0)
            until(lambda: {"ExitReleased", "TradeClosed"} <= set(server.facts()), "the exit")
            server.sets_speed(1)
        with step("the server is back, and so is the desk, by itself: the exit stands in it"):
            server.opens()
            desk.until(lambda: not desk.shows("ENGINE AWAY"))
            desk.until_it_shows("While you were away", "exit sent", "sell 0.1 SPY at")
            keep(desk, screens, "remote-back")
            desk.type(b"\x1b")
            desk.until(lambda: not desk.shows("While you were away"))
            desk.until_sold()
        keys = [record for record in server.records() if record["fact"] == "ConfirmationReceived"]
        by_hand = [record["data"]["turn"] is not None for record in keys]
        assert by_hand == [True, False], keys  # the exit was released by the engine, by what was signed
        with step("q leaves; ssh and the relay are gone, the engine goes on"):
            assert desk.leaves() == 0
            until(lambda: not server.relays(), "no relay is left")
            assert server._listens()
    with step("attached again from another ssh, the exit is found"):
        desk = attached(server, home, is_first=False)
        with desk:
            desk.until_sold()
            assert desk.leaves() == 0


def two_terminals_and_a_killed_engine(server: Server, home: Path, screens: Path) -> None:
    with attached(server, home, is_first=True) as first, attached(server, home, is_first=False) as second:
        with step("a ticket stands armed on the first of two terminals"):
            first.until_it_shows("1 waiting")
            first.type(b"\r")
            first.until_armed()
        with step("the second takes the key with T: the ticket is closed, and the first terminal's B confirms nothing"):
            second.type(b"T")
            second.until_it_shows("Take the key?")
            second.read_for(1.2)
            second.type(b"TAKE" if second.shows("TAKE") else b"D")
            second.until_it_shows("key: this desk")
            first.until(lambda: not first.shows("key: this desk"))
            first.type(b"B")
            first.read_for(1.0)
            keep(first, screens, "remote-handed-over")
            facts = server.records()
            assert "HANDED_OVER" in str([r for r in facts if r["fact"] == "TicketClosed"]).upper(), facts[-5:]
            assert "ConfirmationReceived" not in [record["fact"] for record in facts]
        with step("the engine is killed with -9 under an open ticket: both say so, B confirms nothing"):
            second.until_it_shows("1 waiting")
            second.type(b"1\r")
            second.until_armed()
            server.kills_engine()
            for desk in (first, second):
                desk.until_it_shows("ENGINE AWAY")
            second.type(b"B")
            second.read_for(0.5)
            keep(second, screens, "remote-engine-killed")
        with step("another engine is started: both are back by themselves, nothing was confirmed, nothing sent"):
            server.starts_engine()
            for desk in (first, second):
                desk.until(lambda desk=desk: not desk.shows("ENGINE AWAY"))  # type: ignore[misc]
            assert not {"ConfirmationReceived", "OrderCreated"} & set(server.facts())
        with step("Enter leaves the ticket that is over, q leaves both desks"):
            second.type(b"\r")
            second.until(lambda: not second.shows("Enter leave"))
            assert (first.leaves(), second.leaves()) == (0, 0)
    until(lambda: not server.relays(), "no relay is left")


def keep(desk: RemoteDesk, screens: Path, name: str) -> None:
    desk.read_for(0.5)
    (screens / f"{name}.txt").write_text(desk.what_it_shows() + "\n")


PARTS = (a_trade_and_a_cut, two_terminals_and_a_killed_engine)


def main() -> int:
    if not SSHD.exists():
        sys.stderr.write(f"{SSHD} is not here: install openssh-server\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="keyturn-remote-") as folder:
        screens = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder)
        for part in PARTS:
            place = Path(folder) / part.__name__
            place.mkdir(mode=0o700)
            server = Server(place)
            server.opens()
            server.starts_engine()
            try:
                part(server, place / "client", screens)
            finally:
                server.ends()
    sys.stdout.write("all of it\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
