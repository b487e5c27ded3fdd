"""The index of orders that have left memory: one SQLite file beside the journal, which it follows from.

What was taken in since the last checkpoint is in memory; a checkpoint writes it first. So the file is never behind the
documents, and whoever only looks writes nothing. A file that is missing, damaged or another journal's costs a start one
reading of the whole journal, which makes it anew.
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
    """Implements `core.ports.PastIndex`. One writer, as the journal has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = PastInMemory()
        self._first: int | None = None
        self._line: sqlite3.Connection | None = None

    def keep(self, number: int, order_id: ClientOrderId, content: bytes, total: str) -> None:
        self._first = number if self._first is None else min(self._first, number)
        self._new.keep(number, order_id, content, total)

    def find(self, order_id: ClientOrderId, until: int) -> bytes | None:
        """Raises PastUnreadableError."""
        found = self._new.find(order_id, until)
        saved = until if self._first is None else min(until, self._first - 1)  # what is here takes the file's place
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
        """Raises OSError; what was taken in is kept for the next time."""
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
                self._path.unlink()  # all of it is here: what could not be read is made anew
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
            told = f"{self._path}: {error}; move it away and start again, which makes it anew"
            raise PastUnreadableError(told) from error

    def _opened(self, more: int = 0) -> sqlite3.Connection:
        if self._line is None:
            os.close(open_private(self._path, os.O_RDWR | more))
            self._line = sqlite3.connect(self._path, check_same_thread=False)
            self._line.execute("pragma synchronous = full")
        return self._line
