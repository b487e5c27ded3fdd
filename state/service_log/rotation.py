"""A log file with rotation: a new file each day and at a maximum size, with a bounded total.

Another program (logrotate) may move or truncate the file at any time: it is checked before every write.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.files.regular_file import reading
from state.files import FILE_MODE, make_folder, mend_permissions, open_private, write_all

LARGEST_FILE = 10_000_000
"""The size in bytes at which a new file begins."""
LARGEST_IN_ALL = 200_000_000
"""The maximum total size of the folder in bytes; the oldest files are deleted."""
FILES = 60
"""The maximum of older files."""

OURS = re.compile(r"\.(\d{4}-\d{2}-\d{2}|unknown)\.(\d{6})\.jsonl$", re.ASCII)
DAY = re.compile(rb'\{"at":"(\d{4}-\d{2}-\d{2})T')
LOOKED_AT = 64
"""Bytes of a file that include the day of its first line."""
THEIRS = re.compile(r"\.jsonl[.-]\d+$", re.ASCII)
"""File names as given by logrotate."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for rotation and deletion."""

    file: int = LARGEST_FILE
    folder: int = LARGEST_IN_ALL
    files: int = FILES


class RotatingFile:
    """Appends lines to `path`. Every disk error is raised: the caller handles the lines."""

    def __init__(self, path: Path, limits: Limits = Limits()) -> None:
        self.path = path
        self._limits = limits
        self._descriptor: int | None = None
        self._day: date | None = None

    def write(self, content: bytes, day: date) -> None:
        """Append complete lines of a day. Raises OSError; then none of them is in the file, if it can be truncated."""
        descriptor = self._opened()
        size = os.fstat(descriptor).st_size
        if size and (day != self._day_of() or size + len(content) > self._limits.file):
            self._turn()
            descriptor, size = self._opened(), 0
        self._day = day
        try:
            write_all(descriptor, content)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        """Return a descriptor of the file at the path, reopened if the file was moved away."""
        if self._descriptor is not None and not self._is_there(self._descriptor):
            self.close()
        if self._descriptor is None:
            make_folder(self.path.parent)
            self._descriptor = open_private(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            mend_permissions(self.path, FILE_MODE)
            self._mend_end(self._descriptor)
            self._day = None
        return self._descriptor

    def _is_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except OSError:
            return False

    def _mend_end(self, descriptor: int) -> None:
        """End a line torn by a crash, so that the next is separate; the reader counts it as damaged."""
        size = os.fstat(descriptor).st_size
        if size:
            with reading(self.path) as file:
                file.seek(size - 1)
                is_torn = file.read(1) != b"\n"
            if is_torn:
                write_all(descriptor, b"\n")

    def _day_of(self) -> date | None:
        """Return the day of the file's lines; for an existing file from its first line."""
        if self._day is None:
            with reading(self.path) as file:
                found = DAY.match(file.read(LOOKED_AT))
            with suppress(ValueError):  # an invalid date
                self._day = date.fromisoformat(found[1].decode()) if found else None
        return self._day

    def _turn(self) -> None:
        """Rename the file to the next number, and delete the oldest files."""
        day = self._day_of()
        self.close()
        number = max((_number(path) for path in set_aside(self.path)), default=0) + 1
        aside = self.path.with_name(f"{self.path.stem}.{day or 'unknown'}.{number:06d}.jsonl")
        with suppress(FileNotFoundError):  # moved away at this moment
            self.path.rename(aside)
        self._let_go_of_the_oldest()

    def _let_go_of_the_oldest(self) -> None:
        """Delete the oldest files of ours; files that others moved here stay, but count."""
        kept = [path for path in set_aside(self.path) if _number(path)]
        sizes = {path: _size(path) for path in set_aside(self.path)}
        room = self._limits.folder - self._limits.file
        while kept and (len(kept) > self._limits.files or sum(sizes.values()) > room):
            oldest = kept.pop(0)
            oldest.unlink(missing_ok=True)
            del sizes[oldest]


def set_aside(path: Path) -> list[Path]:
    """Return the older files, the oldest first: ours by number, those of others in between by modification time."""
    found: dict[Path, int] = {}
    with suppress(FileNotFoundError):
        for entry in _entries(path):
            with suppress(FileNotFoundError):
                found[entry] = entry.stat().st_mtime_ns
    ours = sorted((entry for entry in found if _number(entry)), key=_number)
    for entry in sorted(found.keys() - set(ours), key=lambda entry: (found[entry], entry.name)):
        place = next((n for n, other in enumerate(ours) if found[other] >= found[entry]), len(ours))
        ours.insert(place, entry)
    return ours


def _entries(path: Path) -> Iterator[Path]:
    for entry in path.parent.iterdir():
        if entry.name.startswith(path.stem) and (OURS.search(entry.name) or THEIRS.search(entry.name)):
            yield entry


def all_files(path: Path) -> Iterable[Path]:
    """Return all files in order; the current one is the last."""
    return [*set_aside(path), *([path] if path.exists() else [])]


def _number(path: Path) -> int:
    """Return the number of a rotated file of ours; 0 for files of others."""
    found = OURS.search(path.name)
    return int(found[2]) if found else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
