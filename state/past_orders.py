"""The index of orders that are no longer in memory: one SQLite file beside the journal, from which it can be rebuilt.

Orders added since the last checkpoint are in memory; a checkpoint first writes them. So the file is never behind the
documents, and a reader writes nothing. If the file is missing, damaged or from another journal, a start reads the whole
journal once and rebuilds it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from errno import EIO
from pathlib import Path
from typing import Any

from core.execution.past_orders import PastInMemory
from core.model.values import ClientOrderId
from core.ports import PastUnreadableError
from state.files import open_private

LAYOUT = """
create table if not exists past (number integer primary key, name text not null, content blob not null, total text);
create index if not exists past_name on past (name, number);
"""
FIND = "select content from past where name = ? and number <= ? order by number desc limit 1"
TOTAL = "select total from past where number = ?"


class PastFile:
    """Implements `core.ports.PastIndex`. One writer, like the journal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = PastInMemory()
        self._first: int | None = None
        self._line: sqlite3.Connection | None = None

    def keep(self, number: int, order_id: ClientOrderId, content: bytes, total: str) -> None:
        self._first = number if self._first is None else min(self._first, number)
        self._new.keep(number, order_id, content, total)

    def find(self, order_id: ClientOrderId, until: int) -> bytes | None:
        """Return an order's content. Raises PastUnreadableError."""
        found = self._new.find(order_id, until)
        saved = (
            until if self._first is None else min(until, self._first - 1)
        )  # entries in memory replace those in the file
        if found is not None or not saved:
            return found
        row = self._row(FIND, order_id, saved)
        return bytes(row[0]) if row is not None else None

    def covers(self, number: int, total: str) -> bool:
        if self._new.covers(number, total):
            return True
        try:
            return self._row(TOTAL, number) == (total,)
        except PastUnreadableError:
            return False

    def save(self) -> None:
        """Write the entries in memory. Raises OSError; they are then kept for the next call."""
        rows = list(self._new.rows())
        if not rows:
            return
        try:
            try:
                self._write(rows)
            except sqlite3.DatabaseError:
                if rows[0][0] != 1:
                    raise
                self.close()
                self._path.unlink()  # all entries are in memory: the unreadable file is rebuilt
                self._write(rows)
        except sqlite3.Error as error:
            self.close()
            raise OSError(EIO, str(error), str(self._path)) from error
        self._new, self._first = PastInMemory(), None

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _write(self, rows: list[tuple[int, ClientOrderId, bytes, str]]) -> None:
        line = self._opened(os.O_CREAT)
        line.executescript(LAYOUT)
        with line:
            line.executemany("insert or replace into past values (?, ?, ?, ?)", rows)

    def _row(self, question: str, *values: object) -> tuple[Any, ...] | None:
        if self._line is None and not self._path.exists():
            return None
        try:
            with closing(self._opened().execute(question, values)) as found:
                row: tuple[Any, ...] | None = found.fetchone()
                return row
        except (sqlite3.Error, OSError) as error:
            self.close()
            told = f"{self._path}: {error}; move it away and start again, which rebuilds it"
            raise PastUnreadableError(told) from error

    def _opened(self, more: int = 0) -> sqlite3.Connection:
        if self._line is None:
            os.close(open_private(self._path, os.O_RDWR | more))
            self._line = sqlite3.connect(self._path, check_same_thread=False)
            self._line.execute("pragma synchronous = full")
        return self._line
