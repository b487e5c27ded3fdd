"""A backup of an account: documents, signed and stamped heads, journal, and the simulated exchange's log (SP-04).

One archive holds them all, and may be made while an engine runs. The documents are read first, then the journal, and
the exchange's log last: so the journal in the archive includes the documents' last record, and the exchange's log every
order that the journal has as accepted. The kill switch, the lock and the heartbeat belong to the running installation
and are not included.
"""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from core.files.regular_file import bytes_of
from core.ports import OperatorError
from state.files import AccountFolder, naming, open_private, sync_folder
from state.folder_swap import refuse_half_done
from state.journal_files import COMPRESSED, current_file, segments, sequence_in


class BackupError(OperatorError):
    """A backup that cannot be made; the message gives a remedy."""


def backup(folder: AccountFolder, to: Path) -> Path:
    """Write the archive, mode 0600, and return its path.

    Parameters
    ----------
    to
        The archive's path, or a folder, in which it is named `keyturn-<account>-<last record>.tar.gz`.

    Raises
    ------
    BackupError
        There is nothing to back up, or the archive exists already.
    """
    refuse_half_done(folder)
    files = _documents(folder)
    # The stamp files; each was written as a whole.
    stamps = {f"{folder.stamps.name}/{path.name}": bytes_of(path) for path in sorted(folder.stamps.glob("*.tsr"))}
    heads = _lines_of(folder.heads)
    journal = _journal(folder)
    exchange = _lines_of(folder.exchange) | _lines_of(folder.runs)
    if not files and not journal:
        raise BackupError(f"account {folder.name!r} has neither journal nor documents yet: there is nothing to back up")
    target = to / f"keyturn-{folder.name}-{_last_sequence(journal)}.tar.gz" if to.is_dir() else to
    if target.exists():
        raise BackupError(f"{target} is there already; choose another name")
    temporary = target.with_name(f".{target.name}.new")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with naming(target), os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
                for name, content in (files | stamps | heads | journal | exchange).items():
                    _add(archive, f"{folder.name}/{name}", content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)  # a full disk needs the space elsewhere
        raise
    temporary.replace(target)
    sync_folder(target.parent)
    return target


def is_empty(folder: AccountFolder) -> bool:
    """Whether there is nothing to back up: neither journal nor documents."""
    return not _documents(folder) and not _journal_paths(folder)


def _documents(folder: AccountFolder) -> dict[str, bytes]:
    """Return the documents and their older versions; each is always replaced as a whole, so each is complete."""
    kept = sorted(folder.backups.glob("documents.*.json")) if folder.backups.is_dir() else []
    found = {}
    for path in (folder.documents, *kept):
        try:
            found[path.relative_to(folder.path).as_posix()] = bytes_of(path)
        except FileNotFoundError:
            continue  # rotated away meanwhile
    return found


def _journal(folder: AccountFolder) -> dict[str, bytes]:
    """Every segment up to its last whole line."""
    paths = map(current_file, _journal_paths(folder))
    return {f"journal/{path.name}": _content_of(path) for path in paths}


def _content_of(path: Path) -> bytes:
    """A compressed segment is whole."""
    return bytes_of(path) if path.suffix == COMPRESSED else _whole_lines(path)


def _journal_paths(folder: AccountFolder) -> list[Path]:
    if folder.journal.exists() and not folder.journal.is_dir():
        raise BackupError(f"{folder.journal} is no folder: the journal is not there; put it back")
    return segments(folder.journal) if folder.journal.is_dir() else []


def _lines_of(path: Path) -> dict[str, bytes]:
    """Return a file beside the journal, if it exists."""
    try:
        return {path.name: _whole_lines(path)}
    except FileNotFoundError:
        return {}


def _whole_lines(path: Path) -> bytes:
    content = bytes_of(path)
    return content[: content.rfind(b"\n") + 1]


def _last_sequence(journal: dict[str, bytes]) -> int:
    for content in reversed(journal.values()):
        if content:
            return sequence_in(content.rstrip(b"\n").rpartition(b"\n")[2]) or 0
    return 0


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o600
    archive.addfile(entry, io.BytesIO(content))
