"""Write the journal, and the index of the orders that have left memory (SP-01).

Orders added since the last checkpoint are in memory; a checkpoint first writes them. So the file is never behind the
documents, and a reader writes nothing. If the file is missing, damaged or from another journal, a start reads the whole
journal once and rebuilds it.

`append` only buffers the line; `flush` passes it to the operating system, `sync` waits for the disk. After a failed
write nothing more is accepted until the journal is opened again, because the content of the disk is unknown (SP-06).

A backtest of years writes a fact per bar. The fingerprint equals that of a file or memory journal with the same facts,
so that two runs can be compared; memory use stays constant.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from errno import EIO
from pathlib import Path
from typing import Any

import orjson

from core.execution.past_orders import PastInMemory
from core.facts import Fact
from core.model.values import ClientOrderId
from core.ports import JournalDamagedError, JournalError, JournalWriteError, PastUnreadableError, Recorded
from state.codec import GENESIS, RecordError, decode, encode
from state.files import AccountFolder, make_folder, open_private, sync_folder, write_all
from state.journal_files import Torn, Walk, before, day_of, end_of, lines_backwards, segments, start_at

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


BEGINNING = datetime.min.replace(tzinfo=UTC)


class TimeWentBackError(JournalError):
    """A fact stamped before the last recorded one: `at` never decreases."""


class Chain:
    """The end of a chain, extended line by line."""

    __slots__ = ("at", "sequence", "sum")

    def __init__(self, sequence: int = 0, total: str = GENESIS, at: datetime = BEGINNING) -> None:
        self.sequence = sequence
        self.sum = total
        self.at = at

    def line(self, at: datetime, fact: Fact) -> bytes:
        if at < self.at:
            raise TimeWentBackError(f"{type(fact).__name__} of {at} comes after a record of {self.at}: time went back")
        content, self.sum = encode(self.sequence + 1, at, fact, self.sum)
        self.sequence += 1
        self.at = at
        return content


class MemoryJournal:
    """A journal without a file: the same lines and the same cost, without the disk."""

    def __init__(self) -> None:
        self._chain = Chain()
        self.past = PastInMemory()
        self.lines: list[bytes] = []
        self.syncs = 0

    @property
    def sequence(self) -> int:
        return self._chain.sequence

    @property
    def last_at(self) -> datetime:
        return self._chain.at

    def append(self, at: datetime, fact: Fact) -> int:
        self.lines.append(self._chain.line(at, fact))
        return self._chain.sequence

    def flush(self) -> None:
        """Do nothing."""

    def sync(self) -> None:
        self.syncs += 1

    def records(self, after: int = 0) -> Iterator[Recorded]:
        for line in self.lines[after:]:
            yield decode(line)

    def backwards(self) -> Iterator[Recorded]:
        return (decode(line) for line in reversed(self.lines))

    def fingerprint(self) -> str:
        """Return the SHA-256 over all lines, equal to that of a file journal with the same facts."""
        total = hashlib.sha256()
        for line in self.lines:
            total.update(line)
        return total.hexdigest()


class FileJournal:
    """The journal of an account's folder, opened for its one writer.

    Parameters
    ----------
    verified_until
        The sequence number up to which a checkpoint vouches for the chain; from the segment that holds it on, every
        line is checked. Without one, all of them are.

    Attributes
    ----------
    repairs
        Descriptions of repairs made on opening: a torn last line, permissions.
    syncs, seconds_in_syncs, last_sync_seconds, slowest_sync_seconds
        The number of syncs and their durations (a sync over 250 ms is shown, SP-06).

    Raises
    ------
    JournalDamagedError
        Names file, line and fault. Only a torn last line is repaired: it is moved to a `.torn` file.
    """

    def __init__(self, folder: AccountFolder, verified_until: int | None = None) -> None:
        self.folder = folder.journal
        mended = make_folder(self.folder)
        self.repairs: tuple[str, ...] = (mended,) if mended else ()
        self.syncs = 0
        self.seconds_in_syncs = 0.0
        self.last_sync_seconds = 0.0
        self.slowest_sync_seconds = 0.0
        self._pending: list[bytes] = []
        self._descriptor: int | None = None
        self._length = 0
        self._day_ends = BEGINNING
        self._folder_is_dirty = False
        self._failure: str | None = None
        self.past = PastFile(folder.past_orders)
        self._chain = self._opened(verified_until)

    @property
    def sequence(self) -> int:
        return self._chain.sequence

    @property
    def last_at(self) -> datetime:
        return self._chain.at

    def append(self, at: datetime, fact: Fact) -> int:
        """Buffer one record for the next flush; return its sequence number.

        Raises `JournalWriteError` once a write has failed, `TimeWentBackError`, and `state.codec.RecordError` for a
        fact that could not be read back.
        """
        if self._failure is not None:
            raise JournalWriteError(self._failure)
        if at >= self._day_ends:
            self._turn_page(at)
        self._pending.append(self._chain.line(at, fact))
        return self._chain.sequence

    def flush(self) -> None:
        if self._failure is not None:
            raise JournalWriteError(self._failure)
        if not self._pending or self._descriptor is None:
            return
        content = b"".join(self._pending)
        try:
            write_all(self._descriptor, content)
        except OSError as error:
            raise self._failed("write", error) from error
        self._pending.clear()
        self._length += len(content)

    def sync(self) -> None:
        self.flush()
        if self._descriptor is None:
            return
        begun = time.perf_counter()
        try:
            os.fsync(self._descriptor)
            if self._folder_is_dirty:
                sync_folder(self.folder)
        except OSError as error:
            raise self._failed("sync", error) from error
        self._folder_is_dirty = False
        taken = time.perf_counter() - begun
        self.syncs += 1
        self.seconds_in_syncs += taken
        self.last_sync_seconds = taken
        self.slowest_sync_seconds = max(taken, self.slowest_sync_seconds)

    def records(self, after: int = 0) -> Iterator[Recorded]:
        if self._failure is None:
            self.flush()
        return read(self.folder, after)

    def backwards(self) -> Iterator[Recorded]:
        if self._failure is None:
            self.flush()
        for path in reversed(segments(self.folder)):
            for line in lines_backwards(path):
                try:
                    yield decode(line)
                except RecordError as error:
                    raise JournalDamagedError(f"{path.name}: {error}") from error

    def close(self) -> None:
        """Sync and close the file. Raises `JournalWriteError`."""
        try:
            if self._failure is None:
                self.sync()
        finally:
            self.past.close()
            self._let_go()

    def _opened(self, verified_until: int | None) -> Chain:
        paths = segments(self.folder)
        if not paths:
            return Chain()
        walk = Walk(paths, start_at(paths, max(verified_until or 1, 1)))
        last = b""
        for line in walk:
            last = line
        if walk.torn is not None:
            self.repairs += (_repaired(walk.torn),)
            return self._opened(verified_until)
        if not paths[-1].stat().st_size:
            paths[-1].unlink()  # made for a day of which nothing reached the disk
            return self._opened(verified_until)
        return Chain(walk.sequence, walk.sum, datetime.fromisoformat(orjson.loads(last)["at"]))

    def _turn_page(self, at: datetime) -> None:
        """Close the current segment, and open that of `at`."""
        if at < self._chain.at:
            return  # refused when its line is made
        if self._descriptor is not None:
            self.sync()
            self._let_go()
        day = day_of(at)
        path = self.segment(day)
        try:
            self._folder_is_dirty = not path.exists()
            self._descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            self._length = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise self._failed("open", error) from error
        self._day_ends = end_of(day)

    def segment(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.jsonl"

    def _failed(self, act: str, error: OSError) -> JournalWriteError:
        """Remember the failure, and truncate the file to its last complete record if the disk still allows it."""
        why = f"the journal {self.folder} could not {act}: {error.strerror}"
        self._failure = f"{why}; nothing more is recorded, fix the disk and start again"
        if act == "write" and self._descriptor is not None:
            try:
                os.ftruncate(self._descriptor, self._length)
            except OSError:
                self._failure += ", and its last line is torn (the next start repairs it)"
        return JournalWriteError(self._failure)

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._day_ends = BEGINNING


def read(folder: Path, after: int = 0) -> Iterator[Recorded]:
    """Yield every record of a journal's folder with a number above `after`, with its chain checked.

    Raises `JournalDamagedError`, also for a record that this version cannot read. A torn last line ends the reading.
    """
    yield from _read_of(segments(folder), after)


def _read_of(paths: Sequence[Path], after: int) -> Iterator[Recorded]:
    walk = Walk(paths, start_at(paths, after + 1))
    for line in walk:
        if walk.sequence <= after:
            continue
        try:
            recorded = decode(line)
        except RecordError as error:
            raise JournalDamagedError(f"{walk.place}: {error}") from error
        yield recorded


def days_of(folder: Path) -> tuple[date, ...]:
    """Return the days with records, the oldest first; empty without a folder."""
    if not folder.is_dir():
        return ()
    return tuple(date.fromisoformat(path.stem) for path in segments(folder))


def read_day(folder: Path, day: date) -> Iterator[Recorded]:
    """Yield the records of one day, with the chain checked. Raises like `read`."""
    paths = [path for path in segments(folder) if path.stem <= day.isoformat()]
    if not paths or paths[-1].stem != day.isoformat():
        return
    yield from _read_of(paths, before(paths[-1]))


def _repaired(torn: Torn) -> str:
    """Repair the end of the newest segment; return a description."""
    descriptor = open_private(torn.segment, os.O_WRONLY)
    try:
        if torn.is_whole:
            os.lseek(descriptor, 0, os.SEEK_END)
            write_all(descriptor, b"\n")
            words = f"{torn.place}: the newline after a sound record was missing and is there again"
        else:
            aside = torn.segment.with_name(f"{torn.segment.name}.torn")
            _set_aside(aside, torn.content)
            os.ftruncate(descriptor, torn.offset)
            words = f"{torn.place}: torn after {len(torn.content)} bytes, moved to {aside.name}"
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(torn.segment.parent)
    return words


def _set_aside(path: Path, content: bytes) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        write_all(descriptor, content + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class HashOnlyJournal(MemoryJournal):
    """Discards each record after hashing it."""

    def __init__(self) -> None:
        super().__init__()
        self._total = hashlib.sha256()

    def append(self, at: datetime, fact: Fact) -> int:
        self._total.update(self._chain.line(at, fact))
        return self._chain.sequence

    def records(self, after: int = 0) -> Iterator[Recorded]:
        return iter(())

    def backwards(self) -> Iterator[Recorded]:
        return iter(())

    def fingerprint(self) -> str:
        """Return the SHA-256 over all lines."""
        return self._total.hexdigest()
