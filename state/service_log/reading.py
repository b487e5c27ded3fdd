"""The log, read beside an engine that writes it: across rotations in order, and on over one that happens meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
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
TAIL = 200_000
"""Bytes of the end in which the newest record's number is looked for."""

Line = dict[str, Any]
_File = tuple[int, int]


@dataclass(slots=True)
class LogReader:
    """Reads the log whose newest file is `path`, from its beginning.

    Attributes
    ----------
    damaged
        Where a line stood that is none: `engine.jsonl, line 3`.
    """

    path: Path
    damaged: list[str] = field(default_factory=list)
    _offsets: dict[_File, int] = field(default_factory=dict)
    _numbers: dict[_File, int] = field(default_factory=dict)
    _names: dict[_File, Path] = field(default_factory=dict)
    _has_read: bool = False

    def lines(self, follow: bool, wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS)) -> Iterator[Line]:
        """Every line in order; to follow, also each that comes, without an end. Raises OSError."""
        yield from self._new_lines()
        yield from self._new_lines()  # of a file that was put aside while the others were read
        while follow:
            wait()
            yield from self._new_lines()

    def _new_lines(self) -> Iterator[Line]:
        files = all_files(self.path)
        current = next((key for key, name in self._names.items() if name == self.path), None)
        copied = self._offsets.get(current, 0) if current is not None else 0
        seen: set[_File] = set()
        for path in files:
            with suppress(FileNotFoundError):
                found = path.stat()
                key = (found.st_dev, found.st_ino)
                seen.add(key)
                if path == self.path and self._names.get(key, path) != path:
                    self._begin(key, 0)  # a new file in the place on the disk of one that was let go
                elif key not in self._offsets:  # of what logrotate copied, the beginning was read where it stood
                    self._begin(key, copied if self._has_read and THEIRS.search(path.name) else 0)
                elif found.st_size < self._offsets[key]:
                    self._begin(key, 0)  # cut
                self._names[key] = path
                if found.st_size > self._offsets[key]:
                    yield from self._rest_of(path, key)
        for gone in self._offsets.keys() - seen:
            del self._offsets[gone], self._numbers[gone], self._names[gone]
        self._has_read = True

    def _begin(self, key: _File, offset: int) -> None:
        self._offsets[key], self._numbers[key] = offset, 0

    def _rest_of(self, path: Path, key: _File) -> Iterator[Line]:
        with reading(path) as file:
            found = os.fstat(file.fileno())
            if (found.st_dev, found.st_ino) != key:
                return  # put aside this instant: it is met under its new name
            file.seek(self._offsets[key])
            while content := file.readline(LONGEST_LINE):
                if not content.endswith(b"\n") and path == self.path and len(content) < LONGEST_LINE:
                    return  # on its way
                self._offsets[key] += len(content)
                self._numbers[key] += 1
                line = line_of(content)
                if line is not None:
                    yield line
                elif content.strip():
                    self.damaged.append(f"{path.name}, line {self._numbers[key]}")


def line_of(content: bytes) -> Line | None:
    """What a line holds; None where it is none of ours."""
    try:
        line = orjson.loads(content)
        datetime.fromisoformat(line["at"])
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        return None
    is_ours = isinstance(line.get("words"), str) and isinstance(line.get("event"), str)
    return line if is_ours and line.get("level") in LEVELS else None


def last_record(path: Path) -> int:
    """The number of the newest record of the journal that was logged; 0 where none is known. Raises OSError."""
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
    """Which lines belong to an order: its own, those of its tickets, and what says that it belongs to it."""

    order: str
    _wanted: set[str] = field(init=False)
    _tickets: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._wanted = {self.order}

    def has(self, line: Line) -> bool:
        """Called with each line, in order: a ticket is known from the line that opens it."""
        order, ticket, parent = line.get("order"), line.get("ticket"), line.get("parent")
        if order == self.order and parent:
            self._wanted.add(parent)
        is_its_own = order in self._wanted or parent == self.order
        if order in self._wanted and ticket:
            self._tickets.add(ticket)
        return is_its_own or (order is None and ticket in self._tickets)


def whole_id(beginning: str, path: Path) -> str:
    """The one order of the log whose id begins so. Raises `OperatorError`, OSError."""
    orders = (line.get("order") for line in LogReader(path).lines(follow=False))
    found = sorted({order for order in orders if beginning and isinstance(order, str) and order.startswith(beginning)})
    if beginning in found:
        return beginning
    if len(found) != 1:
        what = "no order" if not found else f"{len(found)} orders"
        raise OperatorError(f"{what} in the log begins with {beginning!r}; `keyturn journal tail` shows them")
    return found[0]
