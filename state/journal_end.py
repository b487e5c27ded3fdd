"""The end of a journal, valid or not: the facts that a reset or a restore needs about the replaced one (SP-04).

It is read backwards as far as lines are readable, without checking the chain. In doubt, a kill counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.facts import Fact, InstallationNamed, Killed, Rearmed
from core.facts.registry import kind_of
from core.ports import JournalDamagedError, Recorded
from state.codec import RecordError, decode
from state.documents import newest_checkpoint
from state.folders import AccountFolder
from state.journal import BEGINNING
from state.journal_segments import lines_backwards, opened, segments

UNREADABLE = "a record that cannot be read"


@dataclass(frozen=True, slots=True)
class JournalEnd:
    """The last readable record, its time, and the state after it.

    Attributes
    ----------
    sequence, at, day, line
        The last record, and its segment's day; 0, None or empty without one.
    killed_by
        The source of a kill without a later re-arming.
    installation
        The installation name hashed into manual orders; None without a record of it.
    """

    sequence: int = 0
    at: datetime | None = None
    day: str = ""
    line: bytes = b""
    killed_by: str | None = None
    installation: str | None = None


def ending_of(folder: AccountFolder) -> JournalEnd:
    """Return the end of an account's journal; its documents are consulted about a kill too. Raises OSError."""
    day, line, last = _last_record(folder)
    turned = _newest(folder, Killed, Rearmed)
    named = _newest(folder, InstallationNamed)
    return JournalEnd(
        sequence=last.sequence if last else 0,
        at=last.at if last else None,
        day=day,
        line=line,
        killed_by=_killed_by(folder, turned),
        installation=named.fact.name if named and isinstance(named.fact, InstallationNamed) else None,
    )


def holds(folder: AccountFolder, ending: JournalEnd) -> bool:
    """Whether a journal has this record; then it has all earlier ones too, because their sums are chained."""
    return any(ending.line == line for path in _segments(folder) if path.stem == ending.day for line in _readable(path))


def _segments(folder: AccountFolder) -> list[Path]:
    """The newest first."""
    return segments(folder.journal)[::-1] if folder.journal.is_dir() else []


def _readable(path: Path) -> Iterator[bytes]:
    """The lines of a segment, the newest first; none of one that cannot be decompressed."""
    with suppress(JournalDamagedError):
        yield from lines_backwards(path)


def _last_record(folder: AccountFolder) -> tuple[str, bytes, Recorded | None]:
    for path in _segments(folder):
        for line in _readable(path):
            try:
                return path.stem, line, decode(line)
            except RecordError:
                continue
    return "", b"", None


def _newest(folder: AccountFolder, *kinds: type[Fact]) -> Recorded | None:
    """Return the newest record of these facts; an unreadable one counts as a kill if a kill was searched."""
    unreadable = Recorded(0, BEGINNING, Killed(UNREADABLE)) if Killed in kinds else None
    patterns = [b'"fact":"%b","v":' % name.encode() for kind in kinds for name in kind_of(kind).names]
    for path in _segments(folder):
        try:
            with opened(path) as file:
                content = file.read()
        except JournalDamagedError:
            return unreadable
        found = max(content.rfind(pattern) for pattern in patterns)
        if found < 0:
            continue
        line = content[content.rfind(b"\n", 0, found) + 1 :].partition(b"\n")[0]
        try:
            return decode(line)
        except RecordError:
            return unreadable
    return None


def _killed_by(folder: AccountFolder, turned: Recorded | None) -> str | None:
    """Return the source of a kill in the newest kill or re-arm record, or in documents newer than it."""
    if turned is not None and isinstance(turned.fact, Killed):
        return turned.fact.by
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None or (turned is not None and turned.sequence > checkpoint.sequence):
        return None
    control = checkpoint.documents.get("control")
    by = control.get("killed_by") if isinstance(control, dict) else None
    return None if by is None else str(by)
