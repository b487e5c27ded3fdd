"""Undelivered alerts, one file each, so that the next watchdog continues to send them (SY-02, SY-03).

The process that sends an alert locks its file, and the kernel releases the lock with the process: no two send the same
one. If the file cannot be written, the alert is only in memory.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import orjson

from state.files import FOLDER_MODE, open_private, write_all

LARGEST = 100_000
"""The maximum size of a file in bytes."""
MOST = 1_000
"""The maximum of files that a start takes up."""


@dataclass(slots=True)
class Left:
    """The delivery state of an alert on one channel.

    Attributes
    ----------
    first_at
        The time of the first attempt; None before it.
    again_at
        The time of the next attempt, UTC; None for at once.
    is_on_its_way
        An attempt was sent and has no result: if its process ended, it may have arrived.
    """

    tries: int = 0
    first_at: datetime | None = None
    again_at: datetime | None = None
    may_have_arrived: bool = False
    is_on_its_way: bool = False


@dataclass(slots=True, eq=False)
class Alert:
    """An alert to deliver. `left` is None while the channels are not known."""

    words: str
    account: str
    at: datetime
    left: dict[str, Left] | None = None
    descriptor: int | None = field(default=None, repr=False)
    path: Path | None = None


class OwedAlerts:
    """The folder with the undelivered alerts of one home; None keeps no files."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def keep(self, alert: Alert) -> None:
        """Write the alert's current state. Never raises."""
        if self._folder is None:
            return
        with suppress(OSError):
            if alert.descriptor is None:
                self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                alert.path = self._folder / f"{alert.at:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}.json"
                alert.descriptor = open_private(alert.path, os.O_RDWR | os.O_CREAT)
                fcntl.flock(alert.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept = {"words": alert.words, "account": alert.account, "at": alert.at, "left": alert.left}
            content = orjson.dumps(kept)
            os.lseek(alert.descriptor, 0, os.SEEK_SET)
            write_all(alert.descriptor, content)
            os.ftruncate(alert.descriptor, len(content))

    def drop(self, alert: Alert) -> None:
        """Remove a delivered or abandoned alert."""
        if alert.path is not None:
            with suppress(OSError):
                alert.path.unlink()
        if alert.descriptor is not None:
            os.close(alert.descriptor)
        alert.path = alert.descriptor = None

    def take_up(self) -> Iterator[Alert]:
        """Yield the alerts of an earlier watchdog that no process is sending; unreadable files are left alone."""
        try:
            paths = sorted(self._folder.glob("*.json"))[:MOST] if self._folder is not None else []
        except OSError:
            return
        for path in paths:
            if (alert := _taken(path)) is not None:
                yield alert


def _taken(path: Path) -> Alert | None:
    try:
        descriptor = open_private(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = orjson.loads(os.read(descriptor, LARGEST))
        left = kept["left"]
        channels = None if left is None else {str(name): _left(each) for name, each in left.items()}
        at = datetime.fromisoformat(kept["at"])
        alert = Alert(str(kept["words"]), str(kept["account"]), at, channels, descriptor, path)
        if path.stat().st_ino != os.fstat(descriptor).st_ino:
            raise FileNotFoundError
        return alert
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        os.close(descriptor)
        return None


def _left(kept: dict[str, object]) -> Left:
    """Restore a delivery state, due at once; an attempt without a result may have arrived."""
    first_at = kept["first_at"]
    may_have_arrived = bool(kept["may_have_arrived"]) or bool(kept["is_on_its_way"])
    tries = kept["tries"]
    if not isinstance(tries, int):
        raise TypeError("tries")
    first = datetime.fromisoformat(first_at) if isinstance(first_at, str) else None
    return Left(tries, first, None, may_have_arrived)
