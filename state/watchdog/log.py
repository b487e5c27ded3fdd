"""The watchdog's log: lines on standard error, for a service manager, and in the account's `logs/`.

The file is `watchdog.log`, the previous one `watchdog.log.1`; a failed write does not stop the watchdog.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from state.files import FOLDER_MODE, open_private, write_all
from state.folders import AccountFolder

LARGEST = 1_000_000
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
    """Append to the file. Raises OSError."""
    path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.lstat().st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)
