"""A program in a pseudo-terminal, a screen that understands what it paints, and keys that are typed."""

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

from tests.real.waiting import LIMIT, LOOK, pause, until

ROOT = Path(__file__).parents[2]
APP = Path(__file__).with_name("recording_desk.py")
COLUMNS, LINES = 120, 40
AGAIN = 6.5
"""Seconds after which a key without an effect is typed again: a doubt about cut keys lasts five silent seconds."""


class Pty:
    """A program in a terminal. It is read only while a method of this class waits."""

    def __init__(self, command: list[str], variables: dict[str, str], size: tuple[int, int] = (COLUMNS, LINES)) -> None:
        self.raw = b""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.status: int | None = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever these tests were started under
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **variables}
            for name in ("COLUMNS", "LINES"):  # of the terminal of these tests
                environment.pop(name, None)
            os.execve(command[0], command, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -signal.SIGKILL
        if self.master >= 0:
            self.hang_up()

    # ── keys

    def type(self, *writes: bytes) -> float:
        """Send each part by itself; return the instant of the last."""
        for part in writes:
            at = time.monotonic()
            os.write(self.master, part)
            pause(0.002)
        return at

    def presses(self, key: bytes, effect: Callable[[], object], limit: float = LIMIT) -> None:
        """Type a key again and again until it has its effect: a slow machine may correctly drop a key."""

        def once_more() -> bool:
            self.type(key)
            return self.read_until(effect, AGAIN)

        until(lambda: effect() or once_more(), lambda: f"{key!r}; {self.what_it_shows()}", lambda: None, limit)

    def confirms(self, count: Callable[[], int], key: bytes = b"B") -> None:
        """Press the key of a ticket until one more is counted: a slow machine may correctly drop a key.

        A ticket whose quote became too old, or that a stop ended, is opened again.
        """
        known = count()

        def press() -> None:
            if self.is_armed():
                self.type(key)
            elif self.may_open_again():
                self.type(b"r")
            self.read_until(lambda: count() > known, 1.0)

        until(lambda: count() > known, self.what_it_shows, press)

    def leaves(self) -> int:
        self.presses(b"q", lambda: self.shows("Leave?"))
        self.presses(b"y", lambda: not self.is_alive())
        return self.ended()

    # ── the screen

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.screen.display)

    def until_it_shows(self, *texts: str) -> None:
        """Until it shows one of them."""
        self.until(lambda: any(map(self.shows, texts)))

    def is_armed(self) -> bool:
        """Whether an open ticket or question says that its key counts."""
        return any(
            "armed" in line and "armed in" not in line and "not armed" not in line for line in self.screen.display
        )

    def may_open_again(self) -> bool:
        return self.shows("r open it again") or self.shows("r reviews it again")

    def is_bare(self) -> bool:
        """Whether nothing lies over the panes: a dialog has round corners."""
        return not self.shows("╭")

    def what_it_shows(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display if line.strip())

    def until(self, condition: Callable[[], object]) -> None:
        """Read until it holds."""
        until(condition, self.what_it_shows, lambda: self._read(LOOK))

    def read_until(self, effect: Callable[[], object], seconds: float) -> bool:
        """Whether it came meanwhile: nothing may depend on that it did not."""
        end = time.monotonic() + seconds
        while not effect() and time.monotonic() < end:
            self._read(LOOK)
        return bool(effect())

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    # ── the process

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def ended(self) -> int:
        """Its exit status; what is painted meanwhile is read."""
        until(lambda: not self.is_alive(), self.what_it_shows, lambda: self._read(LOOK))
        assert self.status is not None
        known = -1
        while self.master >= 0 and len(self.raw) > known:  # a terminal gives no more than a page at once
            known = len(self.raw)
            self._read(0)
        return self.status

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
            pause(seconds)
            return
        if not select.select([self.master], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.master, 65536)
        except OSError:
            pause(seconds)
            return
        self.raw += data
        self._stream.feed(data)


@dataclass(frozen=True)
class Record:
    """A line of what `recording_desk.py` writes down."""

    at: float
    word: str
    rest: str


class RecordingDesk(Pty):
    """The small desk of `recording_desk.py`, which writes down what happens to it."""

    def __init__(self, folder: Path, scene: str, shell: tuple[str, ...] = ()) -> None:
        self.path = folder / f"{scene}.txt"
        super().__init__([*shell, sys.executable, str(APP), str(self.path), scene], {})
        self.until(lambda: self.records("ready"))

    def what_it_shows(self) -> str:
        return f"recorded: {self.all_records()[-20:]}"

    def all_records(self) -> list[Record]:
        if not self.path.exists():
            return []
        parts = (line.split(" ", 2) for line in self.path.read_text().splitlines())
        return [Record(float(at), word, "".join(rest)) for at, word, *rest in parts]

    def records(self, word: str) -> list[Record]:
        return [record for record in self.all_records() if record.word == word]

    def typed_keys(self) -> list[str]:
        return [record.rest for record in self.records("key")]
