"""The proof that a journal is whole (`keyturn journal verify`): reads, never repairs, and may run beside an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import orjson

from core.files.regular_file import reading
from core.ports import JournalDamagedError
from state.codec import GENESIS, RecordError
from state.folders import AccountFolder
from state.journal import BEGINNING
from state.journal_segments import SegmentStart, Walk, day_of, end_of, segments

MENDED = "put the journal of a backup in its place"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a journal is worth.

    Attributes
    ----------
    records, last_sum
        How far the chain holds, and the sum of the last record of it.
    torn
        The end that a crash cut short, in words; it is no damage, and the next start repairs it. Beside a running
        engine it is the line that is just being written.
    damage
        Where the chain breaks, and how; nothing after it was looked at.
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
    """Walk the whole chain; also that times never decrease and every record stands in its own day's segment.

    Parameters
    ----------
    known
        The record that the state documents know, read before this is called: a chain that ends before it has lost
        its end.
    each
        Looks at every line besides; the `RecordError` that it raises is damage.
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
    """SHA-256 over the segments' bytes, in order: equal journals have equal ones (MD-05)."""
    total = hashlib.sha256()
    for path in segments(folder.journal):
        with reading(path) as file:
            while block := file.read(1 << 20):
                total.update(block)
    return total.hexdigest()
