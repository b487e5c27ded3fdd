"""A terminal for the tests: a pty with a desk in it, a screen that understands what is painted, and hands that type."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyte

from tests.kit.waiting import PATIENCE

APP = Path(__file__).with_name("desk_app.py")
ROOT = APP.parents[2]
COLUMNS, LINES = 120, 40


@dataclass(frozen=True)
class Fact:
    at: float
    word: str
    rest: str


class Pty:
    """A program in a terminal; it is read only when told to."""

    def __init__(self, command: list[str], variables: dict[str, str], size: tuple[int, int] = (COLUMNS, LINES)) -> None:
        self.raw = b""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.status: int | None = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever these tests were started under
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            outside = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            environment = {**outside, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **variables}
            os.execve(command[0], command, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.master >= 0:
            os.close(self.master)

    def type(self, *writes: bytes) -> float:
        """Sends each part by itself; the instant of the last."""
        for part in writes:
            at = time.monotonic()
            os.write(self.master, part)
            time.sleep(0.002)
        return at

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def until(self, holds: Callable[[], bool]) -> None:
        """Reads until it holds."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f"did not happen in {PATIENCE:g} s; {self.what_it_shows()}"
            self._read(0.01)

    def what_it_shows(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display if line.strip())

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def ended(self) -> int:
        """The exit status, reading what is painted meanwhile."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self._read(0)
                return self.status
            self._read(0.02)
        raise AssertionError(f"still running after {PATIENCE:g} s")

    def is_alive(self) -> bool:
        """Without reading anything."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is None

    def modes(self) -> termios._AttrReturn:
        return termios.tcgetattr(self.master)

    def _read(self, seconds: float) -> None:
        if self.master < 0:
            time.sleep(seconds)
            return
        if not select.select([self.master], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.master, 65536)
        except OSError:
            time.sleep(seconds)
            return
        self.raw += data
        self._stream.feed(data)


class Terminal(Pty):
    """The small desk of `desk_app.py`, which writes down what happens."""

    def __init__(self, folder: Path, scene: str) -> None:
        self.record = folder / f"{scene}.txt"
        super().__init__([sys.executable, str(APP), str(self.record), scene], {})
        self.until(lambda: bool(self.facts("ready")))
        self.read_for(0.1)

    def what_it_shows(self) -> str:
        return f"recorded: {self.all()[-20:]}"

    def all(self) -> list[Fact]:
        if not self.record.exists():
            return []
        parts = (line.split(" ", 2) for line in self.record.read_text().splitlines())
        return [Fact(float(at), word, "".join(rest)) for at, word, *rest in parts]

    def facts(self, word: str) -> list[Fact]:
        return [fact for fact in self.all() if fact.word == word]

    def keys_read(self) -> list[str]:
        return [fact.rest for fact in self.facts("key")]
