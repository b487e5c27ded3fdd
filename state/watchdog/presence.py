"""The watchdog as others see it: its limits, its lock, and its log (SY-02).

`keyturn engine restart` uses it to request a restart. The kernel holds the lock, so a crash releases it. A watchdog
that cannot take the lock works on; it only cannot be found.

The file is `watchdog.log`, the previous one `watchdog.log.1`; a failed write does not stop the watchdog.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from core.files.regular_file import bytes_of
from core.model.lazy_dataclass import dataclass
from state.files import FOLDER_MODE, AccountFolder, open_private, write_all
from state.running_engine import holder_of

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    Attributes
    ----------
    silent_seconds
        An engine with an older heartbeat hangs.
    starting_seconds
        The time limit from a start to its first heartbeat, which includes reading a journal of years.
    memory_bytes
        Resident memory of the engine's process alone; its strategies have separate limits.
    growth_bytes_a_day
        See `judge.py` for its calculation.
    days_at_once
        As many days' growth within hours is too much at once.
    cpu_share, cpu_seconds
        More processor time than this share of one core, over so many seconds, is an alert.
    data_silent_seconds
        The limit of an open session without a bar or a quote.
    data_again_seconds
        The minimum time between two restarts for silent data: otherwise the source itself is silent.
    holds_seconds
        Memory over its limit and silent data must last this long.
    restarts, within_seconds
        The maximum of restarts in this time; then the engine stays down.
    timeout_seconds
        Between SIGTERM and SIGKILL: a leaving engine waits for answers, and writes its checkpoint.
    dump_seconds
        Time-out for the stack traces of a hanging engine.
    push_seconds
        How long an ending watchdog waits for the delivery of its alerts.
    look_seconds, first_look_seconds
        The interval of observations, and the one during a start.
    """

    silent_seconds: float = 60.0
    starting_seconds: float = 300.0
    memory_bytes: int = 512 * MEGABYTE
    growth_bytes_a_day: int = 10 * MEGABYTE
    days_at_once: int = 5
    cpu_share: float = 0.9
    cpu_seconds: float = 300.0
    data_silent_seconds: float = 300.0
    data_again_seconds: float = 3600.0
    holds_seconds: float = 10.0
    restarts: int = 3
    within_seconds: float = 600.0
    timeout_seconds: float = 15.0
    dump_seconds: float = 1.0
    push_seconds: float = 30.0
    look_seconds: float = 1.0
    first_look_seconds: float = 0.1

    @property
    def gap_seconds(self) -> float:
        """A longer interval between two observations means that the watchdog itself stood still."""
        return max(self.silent_seconds / 4, 2 * self.look_seconds)


LARGEST = 20_000
"""The maximum size of the file in bytes."""
RESTART = signal.SIGUSR1
"""The signal that requests a restart, sent to the lock's holder only: it would kill any other program."""


class Presence:
    """The presence of one watchdog; it moves with the account of its engine."""

    def __init__(self) -> None:
        self._folder: AccountFolder | None = None
        self._descriptor: int | None = None

    def is_over(self, folder: AccountFolder) -> None:
        """Take the lock of the engine's account; retried if another process holds it."""
        if folder == self._folder and self._descriptor is not None:
            return
        self.end()
        with suppress(OSError):
            descriptor = open_private(folder.watchdog_lock, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                write_all(descriptor, orjson.dumps({"pid": os.getpid()}) + b"\n")
            except OSError:
                os.close(descriptor)
                raise
            self._folder, self._descriptor = folder, descriptor

    def end(self, said: str = "") -> None:
        """Release the lock; `said` stays in the file for a command that waits for the engine."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, orjson.dumps({"said": said}) + b"\n", 0)
        os.close(self._descriptor)
        self._descriptor = None


def last_said(folder: AccountFolder) -> str:
    """Return the last output of the engine of the watchdog that ended last; empty if unknown."""
    try:
        said = orjson.loads(bytes_of(folder.watchdog_lock, LARGEST))["said"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return said if isinstance(said, str) else ""


def watchdog_of(folder: AccountFolder) -> int | None:
    """Return the process number of the watchdog of this account's engine, or None."""
    return holder_of(folder.watchdog_lock) or None


def ask_to_restart(watchdog: int) -> None:
    """Request a restart of the engine, without waiting for it. Raises OSError."""
    os.kill(watchdog, RESTART)


LARGEST_LOG = 1_000_000
"""The maximum size of a file in bytes."""
LONGEST = 2_000
"""The maximum length of a line; a thread dump has many lines."""
MOST_WAITING = 100


def to_stderr(line: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class WatchdogLog:
    """Lines are kept until the account is known."""

    def __init__(self, show: Callable[[str], None] = to_stderr) -> None:
        self._show = show
        self._folder: AccountFolder | None = None
        self._waiting: list[str] = []

    def is_of(self, folder: AccountFolder) -> None:
        """Set the account that the engine holds."""
        if folder != self._folder:
            self._folder = folder
            self._write([])

    def say(self, words: str) -> None:
        lines = [_harmless(line) for line in words.splitlines()]
        for line in lines:
            self._show(f"keyturn watchdog: {line}")
        self._write([f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}" for line in lines])

    def repeat(self, words: str) -> None:
        """Write a line of the engine unchanged; in the file it is marked as the engine's."""
        words = _harmless(words)
        self._show(words)
        self._write([f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} engine: {words}"])

    def alert(self, words: str) -> None:
        """Write a line that needs attention."""
        self.say(f"ALERT {words}")

    def _write(self, lines: list[str]) -> None:
        self._waiting = [*self._waiting, *lines][-MOST_WAITING:]
        if self._folder is None or not self._waiting:
            return
        with suppress(OSError):
            _append(self._folder.watchdog_log, "".join(f"{line}\n" for line in self._waiting).encode())
            self._waiting = []


def _harmless(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)[:LONGEST]


def _append(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.lstat().st_size > LARGEST_LOG:
            path.replace(path.with_name(f"{path.name}.1"))
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)
