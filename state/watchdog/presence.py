"""The presence of a watchdog: it holds `watchdog.lock` in the account's folder, which names its process (SY-02).

`keyturn engine restart` uses it to request a restart. The kernel holds the lock, so a crash releases it. A watchdog
that cannot take the lock works on; it only cannot be found.
"""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress

import orjson

from core.files.regular_file import bytes_of
from state.files import open_private, write_all
from state.folders import AccountFolder
from state.lock import holder_of

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
