"""The journal's files: one segment per day, read through one chain, compressed when its day is over (SP-01).

All reading of a journal goes through here. Nothing here writes: `state.journal` appends and repairs.

A segment is replaced only after its compressed copy is on the disk and was read back equal, byte for byte. A crash
leaves the segment as it was, or both files; then the uncompressed one counts, and the next run goes on.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from gzip import BadGzipFile, GzipFile
from hashlib import sha256
from io import BufferedIOBase, BufferedReader, BytesIO
from pathlib import Path
from typing import cast

from core.files.regular_file import reading
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.ports import JournalDamagedError, OperatorError
from state.codec import GENESIS, TAIL, RecordError, checked_sum
from state.files import AccountFolder, naming, open_private, sync_folder

PLAIN, COMPRESSED = ".jsonl", ".gz"
"""Suffixes of a segment as it is written, and of a compressed one (`state.journal_files`)."""
SEGMENT_NAME = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}})({re.escape(PLAIN)}|{re.escape(COMPRESSED)})", re.ASCII)
UNWRITTEN = bytes(8)
"""A block that the disk did not write; no record holds a zero byte, because JSON escapes it."""

_SEQUENCE = re.compile(rb'\{"seq":([1-9]\d*),')
_SUM = re.compile(rb',"sum":"([0-9a-f]{32})"\}')


@dataclass(frozen=True, slots=True)
class Torn:
    """The end of the newest segment, cut short by a crash: its place and its remaining bytes."""

    segment: Path
    line: int
    offset: int
    content: bytes
    is_whole: bool
    """Only the newline is missing; the record itself is valid."""

    @property
    def place(self) -> str:
        return f"{self.segment.name}, line {self.line}"


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """The start of a walk: the segment's index, and the record before it."""

    index: int
    sequence: int
    sum: str


def segments(folder: Path) -> list[Path]:
    """Return the segments of a journal's folder, oldest first; a file that is named for no day is none.

    Where a day has a compressed and an uncompressed one, the uncompressed one counts.
    """
    found = sorted(path for path in folder.iterdir() if _is_segment(path.name))
    return list({path.stem: path for path in found}.values())


def _is_segment(name: str) -> bool:
    named = SEGMENT_NAME.fullmatch(name)
    with suppress(ValueError):
        return named is not None and date.fromisoformat(named[1]) is not None
    return False


def current_file(path: Path) -> Path:
    """Return the file of a segment, which may have been compressed since `segments` listed it."""
    compressed = path.with_suffix(COMPRESSED)
    return compressed if path.suffix == PLAIN and not path.exists() and compressed.exists() else path


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a segment's lines, decompressed, also one that was compressed since `segments` listed it.

    Raises OSError, and `JournalDamagedError` for a compressed segment that is not whole.
    """
    path = current_file(path)
    with reading(path) as file:
        if path.suffix == PLAIN:
            yield file
            return
        try:
            if not os.fstat(file.fileno()).st_size:
                raise EOFError("it is empty")  # gzip takes no bytes for no content
            with cast(BufferedReader, BufferedReader(GzipFile(fileobj=file))) as lines:
                yield lines
        except (EOFError, zlib.error, BadGzipFile) as error:
            raise JournalDamagedError(
                f"{path.name}: it cannot be decompressed ({error}). Nothing from here on is believed: put a backup in "
                "its place"
            ) from error


def day_of(at: datetime) -> date:
    """Return a segment's day. All segments end at one venue's midnight, whatever a desk trades: existing ones do."""
    return XNYS.day_of(at)


def end_of(day: date) -> datetime:
    """Return the first instant after a segment's day, UTC."""
    return XNYS.end_of(day)


class Walk:
    """A walk along the chain; iterating yields the valid lines without their newline.

    Raises `JournalDamagedError` with file, line and fault at the first invalid line. A line cut short at the very end
    is no damage: the walk ends before it and keeps it in `torn`.
    """

    def __init__(self, paths: Sequence[Path], start: SegmentStart) -> None:
        self._paths = paths
        self._index = start.index
        self.sequence = start.sequence
        self.sum = start.sum
        self.segment: Path | None = None
        self.line = 0
        self.torn: Torn | None = None

    @property
    def place(self) -> str:
        """The last yielded line, or the invalid one."""
        return "the journal" if self.segment is None else f"{self.segment.name}, line {self.line}"

    def __iter__(self) -> Iterator[bytes]:
        for path in self._paths[self._index :]:
            self.segment = path
            self.line = 0
            with opened(path) as file:
                yield from self._lines(path, file)

    def _lines(self, path: Path, file: BufferedReader) -> Iterator[bytes]:
        offset = 0
        for ended in file:
            self.line += 1
            line = ended.removesuffix(b"\n")
            try:
                total = checked_sum(line, self.sum)
            except RecordError as error:
                if path != self._paths[-1] or not _is_torn(ended, file):
                    raise self._damage(line, error) from error
                self.torn = Torn(path, self.line, offset, ended, is_whole=False)
                return
            if not line.startswith(b'{"seq":%d,' % (self.sequence + 1)):
                raise self._damage(line, RecordError("its sequence number does not follow"))
            if line is ended:
                if path != self._paths[-1]:
                    raise self._damage(line, RecordError("its newline is missing"))
                self.torn = Torn(path, self.line, offset, ended, is_whole=True)
                return
            self.sequence += 1
            self.sum = total
            offset += len(ended)
            yield line

    def _damage(self, line: bytes, error: RecordError) -> JournalDamagedError:
        """Return the error with its place; a gap in the sequence numbers is more informative than a checksum."""
        expected = self.sequence + 1
        found = sequence_in(line)
        reason = str(error)
        if found is not None and found > expected and _SUM.fullmatch(line[-TAIL:]):
            whole = "; a segment before it is gone" if self.line == 1 else ""
            reason = f"record {found} stands where {expected} belongs: {found - expected} missing{whole}"
        return JournalDamagedError(
            f"{self.place}: {reason}. Nothing from here on is believed: put a backup in its place"
        )


def _is_torn(ended: bytes, file: BufferedReader) -> bool:
    """Whether the line is torn: without newline, or the last line and with unwritten blocks."""
    return not ended.endswith(b"\n") or (UNWRITTEN in ended and not file.peek(1))


def sequence_in(line: bytes) -> int | None:
    """Return the sequence number in a line, or None."""
    found = _SEQUENCE.match(line)
    return int(found[1]) if found else None


def before(path: Path) -> int:
    """The number of the last record before this segment; 0 where its first line is no record."""
    with opened(path) as file:
        return max(0, (sequence_in(file.readline()) or 1) - 1)


def start_at(paths: Sequence[Path], sequence: int) -> SegmentStart:
    """Return the start of a walk that covers the record with this number and all later ones.

    Anything unusual on the way moves the start earlier, so that the walk finds it.
    """
    for index in range(len(paths) - 1, 0, -1):
        with opened(paths[index]) as file:
            first = sequence_in(file.readline())
        if first is None or first > sequence:
            continue
        line = last_line(paths[index - 1])
        before, total = sequence_in(line), _SUM.fullmatch(line[-TAIL:])
        if before == first - 1 and total:
            return SegmentStart(index, before, total[1].decode())
    return SegmentStart(0, 0, GENESIS)


def last_line(path: Path) -> bytes:
    """The last line that ends, without its newline; empty where there is none."""
    with opened(path) as file:
        size = file.seek(0, os.SEEK_END)
        reach = 4096
        while True:
            file.seek(max(0, size - reach))
            lines = file.read(min(size, reach)).split(b"\n")
            if len(lines) > 2 or reach >= size:  # noqa: PLR2004  (one whole line, and what follows it)
                return lines[-2] if len(lines) > 1 else b""
            reach *= 4


def lines_backwards(path: Path, block: int = 65_536) -> Iterator[bytes]:
    """The lines of a segment that end, the newest first and without their newline, read a block at a time.

    A compressed one is decompressed whole: each step back in it would decompress it again from its start.
    """
    path = current_file(path)
    with opened(path) as source:
        file = BytesIO(source.read()) if path.suffix == COMPRESSED else source
        left = file.seek(0, os.SEEK_END)
        rest = b""
        is_end = True
        while left:
            size = min(left, block)
            left -= size
            file.seek(left)
            lines = (file.read(size) + rest).split(b"\n")
            if is_end and len(lines) > 1:
                lines.pop()  # the part after the last newline: empty, or an incomplete line
                is_end = False
            rest = lines.pop(0)
            yield from reversed(lines)
        if rest and not is_end:
            yield rest


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

    Raises OperatorError: a compressed copy differs from its segment. The segment stays.
    Raises OSError: the disk fails or is full. The segment stays.
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
