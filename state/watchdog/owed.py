"""Alerts that have not reached everybody: a file each, so that the next watchdog goes on with them (SY-02, SY-03).

Who carries an alert holds its file by a lock, which the kernel releases with its process: no two carry the same. A disk
that takes no file leaves the alert in memory alone.
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
"""Bytes of one."""
MOST = 1_000
"""Files that a start takes up."""


@dataclass(slots=True)
class Left:
    """One channel that has not taken an alert.

    Attributes
    ----------
    first_at
        When the first try left; None where none did.
    again_at
        When it is tried again, UTC; None where at once.
    is_on_its_way
        A try has left and has no outcome: if its process ended, it may have arrived.
    """

    tries: int = 0
    first_at: datetime | None = None
    again_at: datetime | None = None
    may_have_arrived: bool = False
    is_on_its_way: bool = False


@dataclass(slots=True, eq=False)
class Alert:
    """What somebody is owed. `left` is None where nobody knows yet who that is."""

    words: str
    account: str
    at: datetime
    left: dict[str, Left] | None = None
    descriptor: int | None = field(default=None, repr=False)
    path: Path | None = None


class OwedAlerts:
    """The folder of those of one home; none where nothing is to be kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def keep(self, alert: Alert) -> None:
        """As it stands now. Does not raise."""
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
        """It is over."""
        if alert.path is not None:
            with suppress(OSError):
                alert.path.unlink()
        if alert.descriptor is not None:
            os.close(alert.descriptor)
        alert.path = alert.descriptor = None

    def take_up(self) -> Iterator[Alert]:
        """Those that another watchdog left, and nobody carries; what cannot be read is left where it lies."""
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
    """At once; a try without an outcome may have arrived."""
    first_at = kept["first_at"]
    may_have_arrived = bool(kept["may_have_arrived"]) or bool(kept["is_on_its_way"])
    tries = kept["tries"]
    if not isinstance(tries, int):
        raise TypeError("tries")
    first = datetime.fromisoformat(first_at) if isinstance(first_at, str) else None
    return Left(tries, first, None, may_have_arrived)
