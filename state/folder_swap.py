"""Backups of an account, and replacing its journal and documents by the ones of an archive (SP-04).

The archive of a backup is read without trust. Nothing in an archive decides where a file goes: only names that a backup
writes are accepted. Links, devices, extensions, repeated names and implausible sizes are refused. The archive is read
to its end, which has its checksum, before anything is written.

The new files are written completely into a staging folder. That folder's name records the progress of the swap, and
each rename is on the disk before the next step begins.

| folder | meaning | action of the next start |
| --- | --- | --- |
| `replacement.new` | being written; the account is unchanged | drops it |
| `replacement.ready` | decided; the old files are being moved into it | continues |
| `replacement.emptied` | all old files are moved away; the new ones are being moved in | continues |
| `replacement.done` | all files are in place; the old ones are being deleted | continues |

Every step may be repeated. Lock, kill switch, archives and the operator's files stay in place, and so does the
simulated exchange's log if there is no new one. The heartbeat, which has figures of the old journal, is deleted.

A backup of an account: documents, signed and stamped heads, journal, and the simulated exchange's log (SP-04).
One archive holds them all, and may be made while an engine runs. The documents are read first, then the journal, and
the exchange's log last: so the journal in the archive includes the documents' last record, and the exchange's log every
order that the journal has as accepted. The kill switch, the lock and the heartbeat belong to the running installation
and are not included.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import BufferedIOBase
from pathlib import Path

from core.files.regular_file import bytes_of, open_regular, reading
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import AccountFolder, make_folder, naming, open_private, replace_file, sync_folder, write_all
from state.journal_files import COMPRESSED, current_file, segments, sequence_in

OURS = re.compile(
    r"journal/\d{4}-\d{2}-\d{2}\.(?:jsonl|gz)|documents\.json|backups/documents\.[1-5]\.json|heads\.jsonl|stamps/\d{4}-\d{2}-\d{2}\.tsr"
    r"|exchange\.jsonl|runs\.ndjson",
    re.ASCII,
)
"""Files of a backup, below the account's name."""
FOLDERS = ("", "journal", "backups", "stamps")
MOST_FILES = 20_000
"""Eighty years of trading days."""
MOST_BYTES = 16 << 30
"""The maximum total size of all files."""
BLOCK = 512
"""Bytes of a tar header; files are padded to a multiple of it."""
PIECE = 1 << 20
MOST_AFTER_THE_END = 1 << 20
"""The maximum padding after the last file, in bytes."""

Take = Callable[[str, int, BufferedIOBase], None]
"""Takes a file: its name, its size, and the stream to read it from."""


class ArchiveError(OperatorError):
    """An archive that cannot be restored; the message gives the reason and a remedy."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of an archive: the account it was made of, and its files with their sizes in bytes."""

    account: str
    files: Mapping[str, int]

    @property
    def size(self) -> int:
        return sum(self.files.values())


def look(path: Path) -> Contents:
    """Read an archive to its end, without keeping any of it. Raises `ArchiveError`."""
    files: dict[str, int] = {}
    accounts: set[str] = set()

    def take(name: str, size: int, source: BufferedIOBase) -> None:
        account, _, inner = name.partition("/")
        if inner in files or len(accounts | {account}) > 1:
            raise ArchiveError(f"{path.name} holds {name!r} beside another; a backup holds one account, each file once")
        accounts.add(account)
        files[inner] = size
        if len(files) > MOST_FILES or sum(files.values()) > MOST_BYTES:
            raise ArchiveError(f"{path.name} is larger than any account; it is no backup of Keyturn's")
        for _piece in _pieces(source, size):
            pass

    try:
        _walk(path, take)
    except OSError as error:
        raise ArchiveError(
            f"{path}: {error.strerror or error}; name an archive that `keyturn state backup` made"
        ) from None
    if not accounts:
        raise ArchiveError(f"{path.name} is empty; name an archive that `keyturn state backup` made")
    return Contents(accounts.pop(), files)


def unpack(path: Path, contents: Contents, into: Path) -> None:
    """Write the files of a checked archive, mode 0600, into a new private folder. Raises like `look`."""
    for folder in FOLDERS:
        make_folder(into / folder)

    def take(name: str, size: int, source: BufferedIOBase) -> None:
        inner = name.removeprefix(f"{contents.account}/")
        if contents.files.get(inner) != size:
            raise ArchiveError(f"{path.name} has changed since it was looked at; try again")
        descriptor = open_private(into / inner, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        try:
            for piece in _pieces(source, size):
                with naming(into / inner):
                    write_all(descriptor, piece)
        finally:
            os.close(descriptor)

    _walk(path, take)


def _walk(path: Path, take: Take) -> None:
    """Pass each file to `take` in turn, which reads all of it."""
    try:
        with reading(path) as packed, gzip.open(packed) as plain:
            while (header := _exactly(plain, BLOCK)).strip(b"\0"):
                entry = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
                # Check that an entry is a file or a folder as a backup writes it. Raises `ArchiveError`.
                _account, _, inner = entry.name.partition("/")
                is_file = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and OURS.fullmatch(inner)
                is_folder = entry.type == tarfile.DIRTYPE and inner in FOLDERS and not entry.size
                if not (is_file or is_folder):
                    raise ArchiveError(
                        f"{path.name} holds {entry.name!r}, which no backup does; nothing of it is restored"
                    )
                if not 0 <= entry.size <= MOST_BYTES:
                    raise ArchiveError(
                        f"{path.name}: {entry.name!r} claims {entry.size} bytes; nothing of it is restored"
                    )
                if entry.type == tarfile.DIRTYPE:
                    continue
                take(entry.name, entry.size, plain)
                _exactly(plain, -entry.size % BLOCK)
            if len(plain.read(MOST_AFTER_THE_END + 1)) > MOST_AFTER_THE_END:
                raise ArchiveError(f"{path.name} goes on after its end; it is no backup of Keyturn's")
    except (EOFError, UnicodeDecodeError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise ArchiveError(f"{path.name} is damaged or cut short ({error}); take another backup") from error


def _pieces(source: BufferedIOBase, size: int) -> Iterator[bytes]:
    while size:
        piece = _exactly(source, min(PIECE, size))
        size -= len(piece)
        yield piece


def _exactly(source: BufferedIOBase, size: int) -> bytes:
    content = source.read(size)
    if len(content) != size:
        raise EOFError("it ends in the middle")
    return content


NEW, READY, EMPTIED, DONE = (f"replacement.{word}" for word in ("new", "ready", "emptied", "done"))
REPLACED = "replaced"
"""The subfolder for the old files."""
REASON = "reason"
"""The file in it with the name of the operation."""
LARGEST_REASON = 10_000
"""The maximum size of the reason file in bytes."""


def begin(folder: AccountFolder, reason: str) -> AccountFolder:
    """Return an empty staging folder; `reason` names the operation, such as `the reset`. The account's lock is held."""
    stage = AccountFolder(folder.path / NEW)
    make_folder(stage.path)
    replace_file(stage.path / REASON, reason.encode(), durable=False)
    for inner in (stage.journal, stage.backups, stage.stamps):
        make_folder(inner)
    return stage


def drop(folder: AccountFolder) -> None:
    """Remove a staging folder; the account is unchanged."""
    shutil.rmtree(folder.path / NEW, ignore_errors=True)


def carry_out(folder: AccountFolder) -> None:
    """Replace the old files by the staged ones. Raises OSError; the next start then finishes it."""
    stage = folder.path / NEW
    for place, _folders, files in os.walk(stage):
        for name in files:
            _sync_file(Path(place) / name)
        sync_folder(Path(place))
    _move(stage, folder.path / READY)
    _go_on(folder)


def is_half_done(folder: AccountFolder) -> bool:
    """Whether a crash interrupted a swap of journal and documents."""
    return any((folder.path / name).is_dir() for name in (READY, EMPTIED))


def refuse_half_done(folder: AccountFolder) -> None:
    """Raise `OperatorError` during an interrupted swap: neither the old nor the new files are complete."""
    if is_half_done(folder):
        raise OperatorError(f"account {folder.name!r}: {_UNNAMED} was cut off half-way; the next start finishes it")


def finish(folder: AccountFolder) -> tuple[str, ...]:
    """Finish or drop an interrupted swap, with the lock held. Return a description of what was done."""
    left = next((path for name in (NEW, READY, EMPTIED, DONE) if (path := folder.path / name).is_dir()), None)
    if left is None:
        return ()
    reason = _reason(left)
    if left.name == NEW:
        shutil.rmtree(left)
        return (f"{reason} was cut off before it had changed anything; it is dropped",)
    _go_on(folder)
    if left.name == DONE:
        return (f"{reason} was cut off after its last change; what it left is tidied away",)
    return (f"{reason} was cut off half-way; it is finished now",)


def _go_on(folder: AccountFolder) -> None:
    ready, emptied, done = (folder.path / name for name in (READY, EMPTIED, DONE))
    if ready.is_dir():
        _empty(folder, ready)
        _move(ready, emptied)
    if emptied.is_dir():
        _fill(folder, emptied)
        _move(emptied, done)
    shutil.rmtree(done)
    sync_folder(folder.path)


def _empty(folder: AccountFolder, ready: Path) -> None:
    """Move the old files aside, and remove an empty folder that a start created meanwhile."""
    aside = ready / REPLACED
    make_folder(aside)
    for part in _parts(folder):
        if part == folder.exchange and not (ready / part.name).exists():
            continue
        if not part.exists():
            continue
        if (aside / part.name).exists():
            part.rmdir()
        else:
            _move(part, aside / part.name)


def _fill(folder: AccountFolder, emptied: Path) -> None:
    """Move the new files in; then move unrelated files back, such as torn lines set aside."""
    with suppress(OSError):
        folder.heartbeat.unlink()
    for part in _parts(folder):
        if (emptied / part.name).exists():
            _move(emptied / part.name, part)
    for part in (folder.journal, folder.backups, folder.stamps):
        aside = emptied / REPLACED / part.name
        for path in sorted(aside.iterdir()) if aside.is_dir() else ():
            if not OURS.fullmatch(f"{part.name}/{path.name}"):
                _move(path, part / path.name)


def _parts(folder: AccountFolder) -> tuple[Path, ...]:
    folders = folder.journal, folder.backups, folder.stamps
    return *folders, folder.documents, folder.heads, folder.past_orders, folder.exchange, folder.runs


def _move(source: Path, target: Path) -> None:
    """Rename durably: first the new name reaches the disk, then the removal of the old one."""
    source.rename(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def _sync_file(path: Path) -> None:
    descriptor = open_regular(path)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(left: Path) -> str:
    try:
        return bytes_of(left / REASON, LARGEST_REASON).decode(errors="replace") or _UNNAMED
    except OSError:
        return _UNNAMED


_UNNAMED = "a restore or a reset"


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
