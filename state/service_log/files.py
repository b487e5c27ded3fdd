"""The files of the log: rotation, and reading them in order while an engine writes.

Another program (logrotate) may move or truncate the file at any time: it is checked before every write.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import field
from datetime import date, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

import orjson

from core.files.regular_file import reading
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import FILE_MODE, make_folder, mend_permissions, open_private, write_all
from state.service_log.lines import LEVELS

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


USUAL_LIMITS = Limits()


class RotatingFile:
    """Appends lines to `path`. Every disk error is raised: the caller handles the lines."""

    def __init__(self, path: Path, limits: Limits = USUAL_LIMITS) -> None:
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
        # Delete the oldest files of ours; files that others moved here stay, but count.
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


POLL_SECONDS = 0.2
LONGEST_LINE = 1_000_000
"""Bytes; ours are far shorter."""
HEAD = 160
"""Bytes at a file's beginning that identify it: time and text of its first line."""

Line = dict[str, Any]
_File = tuple[int, int]


@dataclass(slots=True)
class _Read:
    """The progress in one file: `stamp` is its size and time at the last read, `head` its beginning then."""

    path: Path
    offset: int = 0
    number: int = 0
    stamp: tuple[int, int] = (0, 0)
    head: bytes = b""


@dataclass(slots=True)
class LogReader:
    """Reads the log whose newest file is `path`, from the beginning.

    Attributes
    ----------
    damaged
        The places of invalid lines: `engine.jsonl, line 3`.
    """

    path: Path
    damaged: list[str] = field(default_factory=list)
    _known: dict[_File, _Read] = field(default_factory=dict)
    _has_begun: bool = False

    def lines(self, follow: bool, wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS)) -> Iterator[Line]:
        """Yield every line in order; with `follow` also new ones, without end. Raises OSError."""
        yield from self._new_lines()
        yield from self._new_lines()  # of a file rotated while the others were read
        while follow:
            wait()
            yield from self._new_lines()

    def _new_lines(self) -> Iterator[Line]:
        current = next((read.offset for read in self._known.values() if read.path == self.path), 0)
        there: set[_File] = set()
        for path in all_files(self.path):
            with suppress(FileNotFoundError), reading(path) as file:
                found = os.fstat(file.fileno())
                key = (found.st_dev, found.st_ino)
                there.add(key)
                read = self._read_of(key, path, current)
                stamp = (found.st_size, found.st_mtime_ns)
                if stamp != read.stamp:
                    yield from self._rest_of(file, read, found.st_size)
                    read.stamp = stamp
        for gone in self._known.keys() - there:
            del self._known[gone]
        self._has_begun = True

    def _read_of(self, key: _File, path: Path, current: int) -> _Read:
        """Return the progress in a file, also after it was renamed."""
        known = self._known.get(key)
        if known is None:  # the beginning of a copy by logrotate was read in the original file
            is_copy = self._has_begun and THEIRS.search(path.name)
            known = self._known[key] = _Read(path, current if is_copy else 0)
        elif path == self.path and known.path != path:  # a new file reuses the inode of a removed one
            known = self._known[key] = _Read(path)
        known.path = path
        return known

    def _rest_of(self, file: BufferedReader, read: _Read, size: int) -> Iterator[Line]:
        head = file.read(HEAD)
        if size < read.offset or not head.startswith(read.head):  # truncated, and perhaps written since
            read.offset = read.number = 0
        read.head = head
        file.seek(read.offset)
        while content := file.readline(LONGEST_LINE):
            if not content.endswith(b"\n") and read.path == self.path and len(content) < LONGEST_LINE:
                return  # incomplete yet
            read.offset += len(content)
            read.number += 1
            line = line_of(content)
            if line is not None:
                yield line
            elif content.strip():
                self.damaged.append(f"{read.path.name}, line {read.number}")


def line_of(content: bytes) -> Line | None:
    """Parse a line; return None if it is no log line."""
    try:
        line = orjson.loads(content)
        datetime.fromisoformat(line["at"])
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        return None
    is_ours = isinstance(line.get("words"), str) and isinstance(line.get("event"), str)
    return line if is_ours and line.get("level") in LEVELS else None


def newest_records(path: Path, most: int) -> set[tuple[int, datetime]]:
    """Return number and time of the newest logged journal records. Raises OSError."""
    found: set[tuple[int, datetime]] = set()
    for file in reversed(list(all_files(path))):
        with reading(file) as content:
            texts = content.read().splitlines()
        for text in reversed(texts):
            if len(found) == most:
                return found
            line = line_of(text)
            if line is not None and isinstance(line.get("record"), int):
                found.add((line["record"], datetime.fromisoformat(line["at"])))
    return found


@dataclass(slots=True)
class OrderLines:
    """Selects the lines of an order: its own, those of its tickets, and those of related orders."""

    order: str
    _wanted: set[str] = field(init=False)
    _tickets: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._wanted = {self.order}

    def has(self, line: Line) -> bool:
        """Whether a line belongs to the order.

        Call it for every line in order: tickets are learned from their first line.
        """
        order, ticket, parent = line.get("order"), line.get("ticket"), line.get("parent")
        if order == self.order and parent:
            self._wanted.add(parent)
        is_its_own = order in self._wanted or parent == self.order
        if order in self._wanted and ticket:
            self._tickets.add(ticket)
        return is_its_own or (order is None and ticket in self._tickets)


def whole_id(beginning: str, path: Path) -> str:
    """Return the one order in the log whose id begins with this text. Raises `OperatorError`, OSError."""
    orders = (line.get("order") for line in LogReader(path).lines(follow=False))
    found = sorted({order for order in orders if beginning and isinstance(order, str) and order.startswith(beginning)})
    if beginning in found:
        return beginning
    if len(found) != 1:
        what = "no order" if not found else f"{len(found)} orders"
        raise OperatorError(f"{what} in the log begins with {beginning!r}; `keyturn journal tail` shows them")
    return found[0]
