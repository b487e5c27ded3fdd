"""A file of JSON lines that several processes append to: one record a line, each with a checksum.

A line torn by a crash is cut off on opening. A line whose checksum differs is reported with its number, and none of the
file is used: guessing would change a table without a word.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from core.ports import OperatorError
from state.codec import GENESIS, TAIL, RecordError, checked_sum, sum_of
from state.files import make_folder, naming, open_private, write_all


class JsonLinesError(OperatorError):
    """A file of lines that cannot be used; the message names the file, the line and the next step."""


class JsonLines:
    """One file, opened for reading and appending.

    Parameters
    ----------
    is_exclusive
        Keep the file locked until `close`: a second process is refused. Otherwise it is locked during a write alone.

    Raises
    ------
    JsonLinesError
        Another process has locked it.
    OSError
        It cannot be opened.
    """

    def __init__(self, path: Path, *, is_exclusive: bool = False) -> None:
        self.path = path
        self._is_exclusive = is_exclusive
        make_folder(path.parent)
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            if is_exclusive:
                self._lock_or_refuse()
        except (OSError, JsonLinesError):
            self.close()
            raise

    def records(self) -> list[dict[str, Any]]:
        """Return every record, in order, after cutting off a torn last line. Raises `JsonLinesError`, OSError."""
        with self._locked(), naming(self.path):
            content = self._content()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                os.ftruncate(self._descriptor, whole)
        return [self._record(number, line) for number, line in enumerate(content[:whole].splitlines(), 1)]

    def append(self, records: Iterable[Mapping[str, object]]) -> None:
        """Write the records at once; `sync` waits for the disk. Raises OSError; then none of them is written."""
        content = b"".join(_lines(records))
        with self._locked(), naming(self.path):
            length = os.fstat(self._descriptor).st_size
            try:
                write_all(self._descriptor, content)
            except OSError:
                os.ftruncate(self._descriptor, length)
                raise

    def sync(self) -> None:
        """Return when everything written is on the disk. Raises OSError."""
        with naming(self.path):
            os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def _content(self) -> bytes:
        length = os.fstat(self._descriptor).st_size
        blocks: list[bytes] = []
        while (read := sum(map(len, blocks))) < length and (block := os.pread(self._descriptor, length - read, read)):
            blocks.append(block)
        return b"".join(blocks)

    def _record(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            checked_sum(line, GENESIS)
            record: dict[str, Any] = orjson.loads(line[:-TAIL] + b"}")
        except (RecordError, orjson.JSONDecodeError):
            raise JsonLinesError(
                f"{self.path}, line {number}: it is damaged; move the file away and run again"
            ) from None
        return record

    def _lock_or_refuse(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JsonLinesError(
                f"{self.path.name}: another process writes it; wait until that sweep has ended"
            ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._is_exclusive:
            yield
            return
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)


def _lines(records: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    for record in records:
        body = orjson.dumps(record, default=str, option=orjson.OPT_UTC_Z)
        yield body[:-1] + b',"sum":"' + sum_of(body, GENESIS).encode() + b'"}\n'
