"""The last VIX in one file for every process of a home: replaced whole, asked for by one process at a time (RK-19)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from core.daily_file import LARGEST_INDEX
from core.market.vix.port import Kept
from core.model.regime import NoVix, VixReading
from state.files import make_folder, open_private, replace_file

_KEPT = TypeAdapter(Kept)
DAMAGED = "is damaged; the source is asked again"


class VixFile:
    """Implements `core.market.vix.port.VixMemory`.

    The lock is the kernel's, on a file beside it: a process that dies in its turn lets go of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_suffix(".lock")

    def load(self) -> Kept:
        try:
            kept: Kept = _KEPT.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Kept(NoVix("the VIX was not measured yet"))
        except OSError as error:
            return Kept(NoVix(f"{self._path.name} cannot be read: {error.strerror or error}"))
        except ValidationError:
            return Kept(NoVix(f"{self._path.name} {DAMAGED}"))
        return kept if _is_sound(kept) else Kept(NoVix(f"{self._path.name} {DAMAGED}"))

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
    return (
        all(at.tzinfo is not None for at in times)
        and is_measured == (kept.fetched_at is not None)
        and (not isinstance(kept.reading, VixReading) or 0 < kept.reading.value < LARGEST_INDEX)
    )


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
