"""How a journal ends, sound or not: what a reset or a restore must know of the one whose place is taken (SP-04).

Read from its end and as far as lines can be read at all; the chain is not checked. Where a kill is in doubt, it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts import Fact, InstallationNamed, Killed, Rearmed
from core.facts.registry import kind_of
from core.files.regular_file import bytes_of
from core.ports import Recorded
from state.codec import RecordError, decode
from state.documents import newest_checkpoint
from state.folders import AccountFolder
from state.journal import BEGINNING
from state.journal_segments import lines_backwards, segments

UNREADABLE = "a record that cannot be read"


@dataclass(frozen=True, slots=True)
class JournalEnd:
    """The last record that can be read, its time, and what then stood.

    Attributes
    ----------
    sequence, at, segment, line
        Of the last record, and where it stands; 0, None and empty where there is none.
    killed_by
        Who killed, where nobody re-armed since.
    installation
        The name that manual orders hash; None where no record says it.
    """

    sequence: int = 0
    at: datetime | None = None
    segment: str = ""
    line: bytes = b""
    killed_by: str | None = None
    installation: str | None = None


def ending_of(folder: AccountFolder) -> JournalEnd:
    """How the journal of an account ends; its documents are asked about a kill as well. Raises OSError."""
    segment, line, last = _last_record(folder)
    turned = _newest(folder, Killed, Rearmed)
    named = _newest(folder, InstallationNamed)
    return JournalEnd(
        sequence=last.sequence if last else 0,
        at=last.at if last else None,
        segment=segment,
        line=line,
        killed_by=_killed_by(folder, turned),
        installation=named.fact.name if named and isinstance(named.fact, InstallationNamed) else None,
    )


def holds(folder: AccountFolder, ending: JournalEnd) -> bool:
    """Whether a journal has this very record: then it has every one before it too, for their sums are chained."""
    path = folder.journal / ending.segment
    return path.is_file() and any(ending.line == line for line in lines_backwards(path))


def _last_record(folder: AccountFolder) -> tuple[str, bytes, Recorded | None]:
    for path in reversed(segments(folder.journal) if folder.journal.is_dir() else []):
        for line in lines_backwards(path):
            try:
                return path.name, line, decode(line)
            except RecordError:
                continue
    return "", b"", None


def _newest(folder: AccountFolder, *kinds: type[Fact]) -> Recorded | None:
    """The newest record of these facts; one that cannot be read counts as a kill where a kill was looked for."""
    patterns = [b'"fact":"%b","v":' % name.encode() for kind in kinds for name in kind_of(kind).names]
    for path in reversed(segments(folder.journal) if folder.journal.is_dir() else []):
        content = bytes_of(path)
        found = max(content.rfind(pattern) for pattern in patterns)
        if found < 0:
            continue
        line = content[content.rfind(b"\n", 0, found) + 1 :].partition(b"\n")[0]
        try:
            return decode(line)
        except RecordError:
            return Recorded(0, BEGINNING, Killed(UNREADABLE)) if Killed in kinds else None
    return None


def _killed_by(folder: AccountFolder, turned: Recorded | None) -> str | None:
    """By the newest record that killed or re-armed; by documents that are newer than it too."""
    if turned is not None and isinstance(turned.fact, Killed):
        return turned.fact.by
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None or (turned is not None and turned.sequence > checkpoint.sequence):
        return None
    control = checkpoint.documents.get("control")
    by = control.get("killed_by") if isinstance(control, dict) else None
    return None if by is None else str(by)
