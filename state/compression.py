"""Compress journal segments of past days (SP-01). Every reader of the journal reads both kinds.

A segment is replaced only after its compressed copy is on the disk and was read back equal, byte for byte. A crash
leaves the segment as it was, or both files; then the uncompressed one counts, and the next run goes on.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from gzip import BadGzipFile, GzipFile
from hashlib import sha256
from io import BufferedIOBase
from pathlib import Path

from core.files.regular_file import reading
from core.ports import OperatorError
from state.files import naming, open_private, sync_folder
from state.folders import AccountFolder
from state.journal_segments import COMPRESSED, PLAIN, end_of, segments

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Compressed:
    """One segment: its day, and its bytes before and after."""

    day: date
    before: int
    after: int


def closed_segments(folder: AccountFolder, now: datetime, days: int) -> list[Path]:
    """The uncompressed segments whose day ended more than `days` days ago. The newest one never counts: it may grow."""
    if not folder.journal.is_dir():
        return []
    older = segments(folder.journal)[:-1]
    ended = now - timedelta(days=days)
    return [path for path in older if path.suffix == PLAIN and end_of(date.fromisoformat(path.stem)) < ended]


def compress(folder: AccountFolder, now: datetime, days: int) -> Iterator[Compressed]:
    """Compress them one by one, oldest first.

    Raises
    ------
    OperatorError
        A compressed copy differs from its segment. The segment stays.
    OSError
        The disk fails or is full. The segment stays.
    """
    for path in closed_segments(folder, now, days):
        yield _compress(path)


def _compress(path: Path) -> Compressed:
    target = path.with_suffix(COMPRESSED)
    temporary = path.with_name(f".{target.name}.new")
    try:
        with naming(temporary), reading(path) as source:
            before, wanted = _written(source, temporary)
        with reading(temporary) as copy:
            if _digest_of(copy) != (before, wanted):
                raise OperatorError(f"{temporary.name}: its content is not that of {path.name}; {path.name} stays")
            after = os.fstat(copy.fileno()).st_size
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    path.unlink()
    sync_folder(path.parent)
    return Compressed(date.fromisoformat(path.stem), before, after)


def _written(source: BufferedIOBase, target: Path) -> tuple[int, bytes]:
    """Write the compressed copy and sync it; return length and digest of the source."""
    length, digest = 0, sha256()
    with os.fdopen(open_private(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        with GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as copy:
            while piece := source.read(PIECE):
                length += len(piece)
                digest.update(piece)
                copy.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return length, digest.digest()


def _digest_of(file: BufferedIOBase) -> tuple[int, bytes]:
    """Length and digest of the decompressed content; what cannot be decompressed has none."""
    length, digest = 0, sha256()
    try:
        with GzipFile(fileobj=file) as content:
            while piece := content.read(PIECE):
                length += len(piece)
                digest.update(piece)
    except (EOFError, zlib.error, BadGzipFile):
        return 0, b""
    return length, digest.digest()
