"""The process of one user strategy as the desk sees it: started, asked, and ended when it fails (ST-07).

The desk waits for an answer for the strategy's time-out and no longer. A process that misses it, writes an invalid
answer, or exits is killed with all its children. Another one is started at once, and nobody waits until it is ready.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import Any

from core.model.lazy_dataclass import dataclass
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.sandbox import CALLS, LIMITS, OUT_OF_MEMORY, ROOT_OF_ITS_OWN, SECONDS
from core.strategies.base import TIMEOUT, OverdueError
from core.strategies.builtin import Coming

ROOT = Path(__file__).resolve().parents[3]
BEGIN = Path(__file__).with_name("begin.py")
STARTING = 15.0
"""Seconds for a process to become ready, when only a command waits for it."""
ENVIRONMENT = {"PYTHONHASHSEED": "0"}
"""The complete environment of a process: a fixed hash seed orders sets of strings alike in each run (MD-05)."""
CHUNK = 1 << 16
SIGNALLED = 128
A_MOMENT = 0.25
"""Seconds for a process that has closed its pipe to report its exit code."""
BUBBLEWRAP = "bwrap"
WITH_BUBBLEWRAP = "bubblewrap"


class LostError(Exception):
    """The process is gone; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class LoadRefused:
    """The file does not load; every reason, one line each."""

    faults: tuple[str, ...]


@dataclass(slots=True)
class Blocked:
    """Whether another question was asked in between."""

    is_broken: bool = False


class StrategyProcess:
    """One process and its start parameters. Asked by one thread at a time.

    Attributes
    ----------
    timeout, waits
        The time-out of one answer in seconds; how many seconds a bar waits for a process that is still starting.
    coming
        Returns the bars after one, when they are known and nobody waits.
    left
        Seats that are no longer asked; sent with the next question.
    blocked
        The batch that waits in the middle of a bar; any other question ends it.
    generation
        Incremented with each started process: objects of an earlier one are gone.
    layers
        The sandbox layers that the process reported before it read the code; empty until it is ready.
    """

    def __init__(self, name: str, where: str, text: str, *, timeout: float = TIMEOUT, waits: float = TIMEOUT) -> None:
        self.name, self.where, self.text = name, where, text
        self.timeout, self.waits = timeout, waits
        self.coming: Coming | None = None
        self.left: list[int] = []
        self.blocked: Blocked | None = None
        self.generation = 0
        self.layers: tuple[str, ...] = ()
        self._process: Popen[bytes] | None = None
        self._end: weakref.finalize[Any, Any] | None = None
        self._folder = ""
        self._is_ready = False
        self._found = bytearray()
        self._wrapper = shutil.which(BUBBLEWRAP) if sys.platform.startswith("linux") else None

    def foresee(self, coming: Coming) -> None:
        self.coming = coming

    # ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Start a process; the first question waits until it is ready."""
        if self._process is not None:
            return
        self._folder = folder = tempfile.mkdtemp(prefix="keyturn-strategy-")
        command = [sys.executable, "-P", "-s", "-B", str(BEGIN)]  # -I would ignore the hash seed
        self._process = process = Popen(
            [*_wrapped(self._wrapper, folder), *command] if self._wrapper else command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=folder,
            env=dict(ENVIRONMENT),
            close_fds=True,
            start_new_session=True,
        )
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        self.generation += 1
        self._is_ready = False
        self._found.clear()
        self._end = weakref.finalize(self, _end, process, folder)

    def end(self) -> None:
        """Kill the process and its children."""
        if self._end is not None:
            self._end()
        if self.blocked is not None:
            self.blocked.is_broken = True
        self._process = self._end = self.blocked = None
        self._is_ready = False
        self.left.clear()

    @property
    def is_ready(self) -> bool:
        return self._is_ready

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def ready(self, seconds: float) -> LoadRefused | None:
        """Ensure that a process has loaded the file. Raises `LostError`, `OverdueError`."""
        self.begin()
        if self._is_ready:
            return None
        ends = time.monotonic() + seconds
        try:
            self.layers = self._confined(ends)
        except LostError:
            if self._wrapper is None:
                raise
            self._wrapper = None  # it is there and not allowed here
            return self.ready(seconds)
        ends = min(ends, time.monotonic() + self.timeout)
        self._write(pipe_messages.framed(["load", self.name, self.where, self.text]), ends)
        match self._message(ends):
            case ["loaded", []]:
                self._is_ready = True
                return None
            case ["loaded", [*faults]]:
                self.end()
                return LoadRefused(tuple(map(pipe_messages.words, faults)))
            case _:
                raise self.breach()

    def _confined(self, ends: float) -> tuple[str, ...]:
        match self._message(ends):
            case ["confined", [*layers]]:
                with suppress(OSError):  # from now on no file can be put into it
                    os.rmdir(self._folder)
                wrapped = (WITH_BUBBLEWRAP,) if self._wrapper else ()
                return (*wrapped, *map(str, layers))
            case _:
                raise self.breach()

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, *question: object, seconds: float | None = None) -> list[Any]:
        """Return its answer. Raises `LostError`, and `OverdueError` at the time-out; both end the process."""
        if not self._is_ready:
            raise LostError("its process is not there")
        if self._found or self._speaks(0):
            raise self._lost("its process spoke without being asked")
        ends = time.monotonic() + (self.timeout if seconds is None else seconds)
        if self.blocked is not None and question[0] != "conditions":
            self.blocked.is_broken, self.blocked = True, None
        while self.left:
            self._write(pipe_messages.framed(["drop", self.left.pop()]), ends)
        self._write(pipe_messages.framed(list(question)), ends)
        return self._message(ends)

    def breach(self) -> LostError:
        """End the process after an invalid answer, and return the error."""
        return self._lost("its process wrote what is no answer")

    def _message(self, ends: float) -> list[Any]:
        try:
            return pipe_messages.read(self._frame(ends))
        except pipe_messages.WireError:
            raise self.breach() from None

    def _frame(self, ends: float) -> bytes:
        found, head = self._found, pipe_messages.HEAD.size
        while True:
            if len(found) >= head:
                size = pipe_messages.HEAD.unpack_from(found)[0]
                if size > pipe_messages.LARGEST:
                    raise self.breach()
                if len(found) >= head + size:
                    frame = bytes(found[head : head + size])
                    del found[: head + size]
                    return frame
            self._wait(select.POLLIN, ends)
            chunk = self._read()
            if not chunk:
                raise self._lost("")
            found += chunk

    def _read(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            return os.read(self._process.stdout.fileno(), CHUNK)
        except BlockingIOError:
            # Read again: `poll` may wake up without data.
            return b"" if self._process is None or self._process.poll() is not None else self._read()

    def _write(self, frame: bytes, ends: float) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        left = memoryview(frame)
        while left:
            try:
                left = left[os.write(self._process.stdin.fileno(), left) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, ends)
            except OSError:
                raise self._lost("") from None

    def _wait(self, event: int, ends: float) -> None:
        """Wait until the pipe can be read or written. An answer that is already there counts, however late."""
        left = max(0.0, ends - time.monotonic())
        if self._speaks(left, event) or self._speaks(0, event):
            return
        self.end()
        raise OverdueError

    def _speaks(self, seconds: float, event: int = select.POLLIN) -> bool:
        assert self._process is not None
        pipe = self._process.stdin if event == select.POLLOUT else self._process.stdout
        assert pipe is not None
        poll = select.poll()
        poll.register(pipe.fileno(), event)
        return bool(poll.poll(seconds * 1000))

    def _lost(self, why: str) -> LostError:
        """End the process, and return the error with the reason."""
        process = self._process
        if process is not None and not why:
            with suppress(TimeoutExpired):
                process.wait(A_MOMENT)
            why = _how_it_ended(process.returncode)
        self.end()
        return LostError(why)


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "its process closed its pipe"
    if code > SIGNALLED:  # bubblewrap reports a signal in this way
        code = SIGNALLED - code
    if code == OUT_OF_MEMORY:
        return "its process took more memory than it may"
    if code >= 0:
        return f"its process ended by itself ({code})"
    if -code == signal.SIGXCPU:
        return f"its process took more than {SECONDS} s of processor time"
    with suppress(ValueError):
        return f"its process crashed ({signal.Signals(-code).name})"
    return f"its process crashed ({-code})"


def _end(process: Popen[bytes], folder: str) -> None:
    """Kill the process and everything left in its session."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()
    with suppress(OSError):
        os.rmdir(folder)


def left_open(layers: Sequence[str]) -> tuple[str, ...]:
    """Return the accesses that these layers cannot deny a strategy's process; see docs/STRATEGIES.md."""
    found = []
    if CALLS not in layers and WITH_BUBBLEWRAP not in layers:
        found.append("it could end other programs of yours")
        if ROOT_OF_ITS_OWN not in layers:
            found.append("it could remove or rename files whose names it knows")
    if LIMITS not in layers:
        found.append("its memory has no limit")
    return tuple(found)


def _wrapped(wrapper: str, folder: str) -> list[str]:
    """Return the bubblewrap command, which restricts the process.

    It has read access to Python and this program's core only, no network, and sees no other processes.
    """
    seen = ("/usr", "/lib", "/lib64", "/bin", sys.base_prefix, sys.prefix, str(ROOT / "core"))
    shown = [part for path in dict.fromkeys(seen) if os.path.exists(path) for part in ("--ro-bind", path, path)]
    apart = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    apart += [word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)]
    return [wrapper, *apart, *shown, "--bind", folder, "/empty", "--chdir", "/empty", "--"]
