"""Read the log while an engine writes it: in order across rotations, including one that happens meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

import orjson

from core.files.regular_file import reading
from core.ports import OperatorError
from state.service_log.events import LEVELS
from state.service_log.rotation import THEIRS, all_files

POLL_SECONDS = 0.2
LONGEST_LINE = 1_000_000
"""Bytes; ours are far shorter."""
HEAD = 160
"""Bytes at a file's beginning that identify it: time and text of its first line."""
TAIL = 200_000
"""Bytes at the end that are searched for the number of the newest record."""

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


def last_record(path: Path) -> int:
    """Return the number of the newest logged journal record; 0 if unknown. Raises OSError."""
    for file in reversed(list(all_files(path))):
        with reading(file) as content:
            content.seek(max(0, os.fstat(content.fileno()).st_size - TAIL))
            for text in reversed(content.read(TAIL).splitlines()):
                line = line_of(text)
                if line is not None and isinstance(line.get("record"), int):
                    return int(line["record"])
    return 0


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
