"""The last VIX value in one file of a home: replaced atomically, fetched by one process at a time (RK-19)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from core.files.csv_files import is_of_the_vix
from core.files.regular_file import bytes_of
from core.market.vix import Kept
from core.model.session import XNYS
from core.model.sizing import DailyValue, NoVix, VixReading
from core.risk.regime import can_leave
from state.files import make_folder, open_private, replace_file

_KEPT = TypeAdapter(Kept)
LARGEST = 100_000
"""The maximum size of the file in bytes."""
DAMAGED = "is damaged; the source is asked again"


class VixFile:
    """Implements `core.market.vix.VixMemory`.

    `now` is this machine's clock, UTC: a measurement of a later day is refused. The lock is the kernel's, on a file
    beside it: a process that dies releases it.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._lock = path.with_suffix(".lock")

    def load(self) -> Kept:
        try:
            kept: Kept = _KEPT.validate_json(bytes_of(self._path, LARGEST))
        except FileNotFoundError:
            return Kept(NoVix("the VIX was not measured yet"))
        except OSError as error:
            return Kept(NoVix(f"{self._path.name} cannot be read: {error.strerror or error}"))
        except ValidationError:
            return Kept(NoVix(f"{self._path.name} {DAMAGED}"))
        if not _is_sound(kept) or not _is_possible(kept.reading, self._now()):
            return Kept(NoVix(f"{self._path.name} {DAMAGED}"))
        return kept

    def save(self, kept: Kept) -> None:
        replace_file(self._path, orjson.dumps(_KEPT.dump_python(kept, mode="json"), option=orjson.OPT_INDENT_2))

    @contextmanager
    def turn(self) -> Iterator[bool]:
        make_folder(self._path.parent)
        descriptor = open_private(self._lock, os.O_RDWR | os.O_CREAT)
        try:
            yield _locked(descriptor)
        finally:
            os.close(descriptor)


def _is_sound(kept: Kept) -> bool:
    times = [at for at in (kept.fetched_at, kept.failed_at) if at is not None]
    is_measured = isinstance(kept.reading, VixReading)
    return all(at.tzinfo is not None for at in times) and is_measured == (kept.fetched_at is not None)


def _is_possible(reading: VixReading | NoVix, now: datetime) -> bool:
    """Whether it is a possible value of the index, from a day not in the future."""
    if isinstance(reading, NoVix):
        return True
    value, today = reading.value, XNYS.day_of(now)
    return (
        is_of_the_vix(value)
        and can_leave(value, reading.level)
        and (reading.measured_on <= today)
        and _are_its_closes(reading)
    )


def _are_its_closes(reading: VixReading) -> bool:
    """Whether there are no closes, or they are in order of time and end with the reading itself."""
    closes = reading.closes
    if not closes:
        return True
    are_in_order = all(earlier.day < later.day for earlier, later in pairwise(closes))
    own = DailyValue(reading.measured_on, reading.value)
    return are_in_order and all(is_of_the_vix(close.value) for close in closes) and closes[-1] == own


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
