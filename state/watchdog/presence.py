"""That a watchdog is there for an account: it holds `watchdog.lock` in its folder, which names its process (SY-02).

`keyturn engine restart` tells it so to restart its engine. The kernel holds the lock, so a crash of its holder
releases it. A watchdog that cannot take it watches on: it is only not found.
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
"""Bytes of the file."""
RESTART = signal.SIGUSR1
"""What a watchdog is sent that shall restart its engine: to the lock's holder alone; another program ends by it."""


class Presence:
    """Of one watchdog; it moves with the account of its engine."""

    def __init__(self) -> None:
        self._folder: AccountFolder | None = None
        self._descriptor: int | None = None

    def is_over(self, folder: AccountFolder) -> None:
        """Its engine runs on this account. One that somebody else holds is asked for again."""
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
        """It is gone; `said` stays for whoever waits for its engine."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, orjson.dumps({"said": said}) + b"\n", 0)
        os.close(self._descriptor)
        self._descriptor = None


def last_said(folder: AccountFolder) -> str:
    """By the engine of the watchdog that ended last; empty where that is not known."""
    try:
        said = orjson.loads(bytes_of(folder.watchdog_lock, LARGEST))["said"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return said if isinstance(said, str) else ""


def watchdog_of(folder: AccountFolder) -> int | None:
    """The process of the watchdog over this account's engine; None where none is."""
    return holder_of(folder.watchdog_lock) or None


def ask_to_restart(watchdog: int) -> None:
    """Return at once; the watchdog ends its engine and starts another. Raises OSError."""
    os.kill(watchdog, RESTART)
