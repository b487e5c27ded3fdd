"""Look at a journal without writing: its newest records, its verification, and its unknown facts."""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import orjson

from core.facts import SettingsApplied
from core.model.lazy_dataclass import dataclass
from core.ports import JournalDamagedError, Recorded
from state.codec import GENESIS, RecordError, decode
from state.files import AccountFolder
from state.journal import BEGINNING
from state.journal_files import SegmentStart, Walk, day_of, end_of, opened, segments

POLL_SECONDS = 0.2


def tail(
    folder: AccountFolder,
    count: int,
    follow: bool,
    wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS),
) -> Iterator[Recorded]:
    """Yield the last `count` records, oldest first; with `follow` then every new one, without end.

    The chain is not checked here. Raises `JournalDamagedError` for an invalid line.
    """
    paths = segments(folder.journal) if folder.journal.is_dir() else []
    last: deque[Recorded] = deque()
    reader = _Reader(paths[-1]) if paths else None
    newest = list(reader.new_records()) if reader else []
    last.extend(newest[-count:] if count else ())
    for path in reversed(paths[:-1]):
        if len(last) >= count:
            break
        missing = count - len(last)
        last.extendleft(reversed(list(_Reader(path).new_records())[-missing:]))
    yield from last
    while follow:
        wait()
        for path in segments(folder.journal) if folder.journal.is_dir() else ():
            if reader is None or path > reader.path:
                if reader is not None:
                    yield from reader.new_records()
                reader = _Reader(path)
        if reader is not None:
            yield from reader.new_records()


class _Reader:
    """One segment, read up to its last complete line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._line = 0

    def new_records(self) -> Iterator[Recorded]:
        with opened(self.path) as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                self._line += 1
                try:
                    recorded = decode(line)
                except RecordError as error:
                    raise JournalDamagedError(
                        f"{self.path.name}, line {self._line}: {error}; `keyturn journal verify` says what is sound"
                    ) from error
                yield recorded


MENDED = "put the journal of a backup in its place"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of a verification.

    Attributes
    ----------
    records, last_sum
        The number of verified records, and the sum of the last one.
    torn
        The end that a crash cut short, as text; no damage, and the next start repairs it. While an engine runs it is
        the line being written.
    damage
        The place and kind of the first break; nothing after it was checked.
    """

    records: int
    segments: int
    last_sum: str
    torn: str | None = None
    damage: str | None = None

    @property
    def is_sound(self) -> bool:
        return self.damage is None


def verify(folder: AccountFolder, known: int = 0, each: Callable[[bytes], object] | None = None) -> VerifyReport:
    """Verify the whole chain, that times never decrease, and that every record is in its day's segment.

    Parameters
    ----------
    known
        The last record of the state documents, read before this call: a chain that ends earlier has lost its end.
    each
        Called with every line; a `RecordError` from it counts as damage.
    """
    paths = segments(folder.journal) if folder.journal.is_dir() else []
    walk = Walk(paths, SegmentStart(0, 0, GENESIS))
    damage = None
    try:
        _check_times(walk, each)
    except JournalDamagedError as error:
        damage = str(error)
    if damage is None and walk.sequence < known:
        damage = f"the journal ends at record {walk.sequence} of {known}: its end is lost; {MENDED}"
    torn = None
    if walk.torn is not None:
        torn = f"{walk.torn.place}: torn after {len(walk.torn.content)} bytes"
    return VerifyReport(walk.sequence, len(paths), walk.sum, torn, damage)


def _check_times(walk: Walk, each: Callable[[bytes], object] | None) -> None:
    before = day_ends = BEGINNING
    day = ""
    for line in walk:
        if each is not None:
            try:
                each(line)
            except RecordError as error:
                raise JournalDamagedError(f"{walk.place}: {error}") from error
        at = datetime.fromisoformat(orjson.loads(line)["at"])
        if at < before:
            raise JournalDamagedError(f"{walk.place}: its time {at} is before that of the record before it; {MENDED}")
        if at >= day_ends:
            day, day_ends = str(day_of(at)), end_of(day_of(at))
        if walk.segment is not None and walk.segment.stem != day:
            raise JournalDamagedError(f"{walk.place}: a record of {day} stands in the segment of another day; {MENDED}")
        before = at


def fingerprint(folder: AccountFolder) -> str:
    """SHA-256 over the segments' bytes, decompressed and in order: equal journals have equal ones (MD-05)."""
    total = hashlib.sha256()
    for path in segments(folder.journal):
        with opened(path) as file:
            while block := file.read(1 << 20):
                total.update(block)
    return total.hexdigest()


class Unread:
    """Pass every record in order; `words` has one line per finding, with its first place."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._first: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def look(self, line: bytes) -> None:
        self._looked_at += 1
        try:
            fact = decode(line).fact
        except RecordError as error:
            self._note(str(error))
            return
        if isinstance(fact, SettingsApplied):
            for word in fact.settings.odd.words:
                self._note(word)

    def _note(self, words: str) -> None:
        self._first.setdefault(words, self._looked_at)
        self._counts[words] += 1

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(f"record {self._first[each]}{_more(count)}: {each}" for each, count in self._counts.items())


def _more(count: int) -> str:
    return f", and {count - 1} more" if count > 1 else ""
