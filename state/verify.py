"""Verify a journal (`keyturn journal verify`): reads, never repairs, and may run while an engine runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import orjson

from core.ports import JournalDamagedError
from state.codec import GENESIS, RecordError
from state.folders import AccountFolder
from state.journal import BEGINNING
from state.journal_segments import SegmentStart, Walk, day_of, end_of, opened, segments

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
