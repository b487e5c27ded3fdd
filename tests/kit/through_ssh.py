"""A desk that reaches an engine through a program in the place of ssh: the real relay, or what a bad day does."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from console.client.remote import RemoteEngine
from console.client.ssh_link import SshLink
from core.model.desk import Seat
from tests.kit.served import Served
from tests.kit.waiting import TIMEOUT

ROOT = Path(__file__).parents[2]
SERVER = "eve@server"
SOON = (0.05, 0.1)
DENIED = f"echo '{SERVER}: Permission denied (publickey).' >&2; exit 255"


@dataclass
class StandIn:
    """A program that is called as ssh is."""

    path: Path
    asked: Path = field(init=False)
    """A line with its words for each call."""

    def __post_init__(self) -> None:
        self.asked = self.path.with_suffix(".asked")
        self.asked.touch()

    def does(self, what: str) -> None:
        """From its next start on; lines of a shell."""
        new = self.path.with_suffix(".new")
        new.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(self.asked))}\n{what}\n')
        new.chmod(0o700)
        new.rename(self.path)

    def reaches(self, engine: Served, before: str = "") -> None:
        program = shlex.join([sys.executable, "-m", "tests.kit.relay_here", str(engine.path)])
        self.does(f"{before}\ncd {shlex.quote(str(ROOT))} && exec {program}")

    def calls(self) -> list[str]:
        return self.asked.read_text().splitlines()


@dataclass
class Through:
    link: SshLink
    desk: RemoteEngine
    shown: list[str]


@contextmanager
def through(program: StandIn, timeout: float = TIMEOUT) -> Iterator[Through]:
    """A desk whose link has begun; raises what `begin` raises."""
    shown: list[str] = []
    link = SshLink(SERVER, str(program.path), shown.append, SOON, timeout)
    desk = RemoteEngine(link.connect, Seat("/dev/pts/7", "tester"), "tests", on_leave=link.give_up)
    try:
        link.begin(desk.unsaid.append)
        desk.start()
        yield Through(link, desk, shown)
    finally:
        desk.close("the test is over", TIMEOUT)
        link.close()
