"""The state documents (SP-02): a TinyDB table per slice, replaced atomically, with five older versions kept.

The file carries its own checksum, so that damage is detected and never loaded. It is readable for people; the journal
is authoritative, and a start without valid documents only reads a longer part of it.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

from core.facts.registry import edition
from core.files.regular_file import bytes_of
from core.ports import Checkpoint, Documents, NoCheckpoint
from state.files import AccountFolder, make_folder, replace_file, sync_folder

VERSION = 6
"""The version of the file layout. The content of the slices has a separate digest, which detects changes."""

BACKUPS = 5
ROTATION_SECONDS = 60.0
META = "checkpoint"
"""The table with the sequence number and the version."""

Tables = dict[str, dict[str, Any]]


class UnsoundDocumentsError(Exception):
    """A documents file that cannot be trusted; the message gives the reason."""


class NoDocumentsError(UnsoundDocumentsError):
    """The file does not exist."""


class AtomicStorage(Storage):
    """TinyDB's tables in one file, with a checksum, replaced by a rename."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Tables | None:
        """Return the tables, or None without a file. Raises `UnsoundDocumentsError`."""
        try:
            content = bytes_of(self._path)
        except FileNotFoundError:
            return None
        return tables_in(content)

    def write(self, data: Tables) -> None:
        """Replace the file. Raises OSError; the old one is then untouched."""
        replace_file(self._path, content_of(data))


FORM = re.compile(rb'\{"sum": "(?P<sum>[0-9a-f]{64})",\n"tables": (?P<tables>.*)\n\}\n', re.DOTALL)
"""Of a documents file. Its tables may be indented, as older releases wrote them."""


def content_of(tables: Tables) -> bytes:
    text = orjson.dumps(tables)
    return b'{"sum": "%b",\n"tables": %b\n}\n' % (sha256(text).hexdigest().encode(), text)


def checked_text(content: bytes) -> bytes:
    """Return the JSON of the tables of a documents file. Raises `UnsoundDocumentsError` for any changed byte."""
    found = FORM.fullmatch(content)
    if found is None:
        raise UnsoundDocumentsError("it is cut short or garbled")
    if sha256(found["tables"]).hexdigest().encode() != found["sum"]:
        raise UnsoundDocumentsError("its checksum does not hold")
    return found["tables"]


def tables_in(content: bytes) -> Tables:
    """Return the tables of a documents file. Raises `UnsoundDocumentsError` for any changed byte."""
    try:
        tables = orjson.loads(checked_text(content))
    except orjson.JSONDecodeError as error:
        raise UnsoundDocumentsError(f"it is cut short or garbled ({error})") from error
    if not isinstance(tables, dict):
        raise UnsoundDocumentsError("it holds no tables")
    return tables


class _Gathered(Storage):
    """Collects a checkpoint's tables, so that they are written at once."""

    tables: Tables | None = None

    def read(self) -> Tables | None:
        return self.tables

    def write(self, data: Tables) -> None:
        self.tables = data


class TinyDocuments:
    """Implements `core.ports.Documents`.

    Parameters
    ----------
    clock
        Seconds; only differences count. Decides when the replaced file becomes a backup.

    Attributes
    ----------
    notes
        Messages of the loading: which file was damaged, and from which one the documents were taken.
    """

    def __init__(self, folder: AccountFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = folder.documents
        self._backups = folder.backups
        self._clock = clock
        self._rotated: float | None = None
        mended = make_folder(self._backups)
        self.notes: tuple[str, ...] = (mended,) if mended else ()

    def load(self) -> Checkpoint | NoCheckpoint:
        """Return the newest valid checkpoint: the documents, or the newest valid backup; `notes` names the faults."""
        reasons: list[str] = []
        is_there = False
        for path in (self._path, *self._kept()):
            try:
                checkpoint, version = _found_in(path)
            except (UnsoundDocumentsError, OSError) as error:
                is_there |= not isinstance(error, NoDocumentsError) or path != self._path
                said = error.strerror if isinstance(error, OSError) else None
                reasons.append(f"{path.name}: {said or error}")
                continue
            if version < VERSION:  # the backups are no newer
                older = f"of an older Keyturn (version {version}, now {VERSION}): read again from the journal"
                self.notes += (*reasons, f"{path.name}: {older}")
                return NoCheckpoint(older, checkpoint.sequence)
            if reasons:
                self.notes += (
                    *reasons,
                    f"the documents were taken from {path.name}, as of record {checkpoint.sequence}",
                )
            return checkpoint
        if not is_there:
            return NoCheckpoint("no documents yet")
        self.notes += tuple(reasons)
        return NoCheckpoint("no sound documents: " + "; ".join(reasons))

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the documents atomically. Raises OSError; the old ones are then untouched."""
        self._rotate()
        gathered = _Gathered()
        database = TinyDB(storage=lambda: gathered)
        meta = {"sequence": checkpoint.sequence, "version": VERSION, "facts": edition(), "shape": checkpoint.shape}
        database.table(META).insert(Document(meta, doc_id=1))
        for name, value in checkpoint.documents.items():
            database.table(f"{_SLICE}{name}").insert(Document({"value": value}, doc_id=1))
        AtomicStorage(self._path).write(gathered.tables or {})

    def _kept(self) -> Iterator[Path]:
        """Yield the backups, newest first."""
        return (path for path in map(self._backup, range(1, BACKUPS + 1)) if path.exists())

    def _backup(self, number: int) -> Path:
        return self._backups / f"documents.{number}.json"

    def _rotate(self) -> None:
        """Keep the file about to be replaced: at the first save, and then at most once a minute."""
        now = self._clock()
        if self._rotated is not None and now - self._rotated < ROTATION_SECONDS:
            return
        self._rotated = now
        try:
            checked_text(bytes_of(self._path))  # not read as JSON, during which every other thread would wait
        except FileNotFoundError:
            return
        except UnsoundDocumentsError:
            self._path.replace(self._path.with_name("documents.damaged.json"))
            return
        for number in range(BACKUPS, 1, -1):
            if self._backup(number - 1).exists():
                self._backup(number - 1).replace(self._backup(number))
        _link_or_copy(self._path, self._backup(1))
        sync_folder(self._backups)


class CheckpointWriter:
    """Writes the checkpoints of an engine: its thread encodes them, and another thread writes the file.

    Parameters
    ----------
    encode
        Returns the documents of the synced journal, encoded. Raises OSError, JournalWriteError.
    """

    def __init__(self, encode: Callable[[], Checkpoint], documents: Documents) -> None:
        self._encode = encode
        self._documents = documents
        self._writing: Thread | None = None
        self._fault: Exception | None = None

    @property
    def is_busy(self) -> bool:
        return self._writing is not None and self._writing.is_alive()

    @property
    def has_failed(self) -> bool:
        return self._fault is not None

    def begin(self) -> None:
        """Encode a checkpoint, and begin to write it. Raises as `write`, and the fault of the last one begun."""
        self.join()
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
        checkpoint = self._encode()
        writing = Thread(target=self._write, args=(checkpoint,), name="checkpoint")
        try:
            writing.start()
        except RuntimeError:  # the system gives no further thread
            self._documents.save(checkpoint)
        else:
            self._writing = writing

    def join(self) -> None:
        """Wait for the one under way."""
        if self._writing is not None:
            self._writing.join()

    def write(self) -> None:
        """Write a checkpoint now, after the one under way. Raises OSError, JournalWriteError."""
        self.join()
        self._fault = None  # this one replaces it
        self._documents.save(self._encode())

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            self._documents.save(checkpoint)
        except Exception as error:  # the engine's thread raises it
            self._fault = error


_SLICE = "slice "


def _checkpoint_in(path: Path) -> Checkpoint:
    return _found_in(path)[0]


def _found_in(path: Path) -> tuple[Checkpoint, int]:
    """Return the checkpoint in a file, and the version that wrote it."""
    tables = AtomicStorage(path).read()
    if tables is None:
        raise NoDocumentsError("it is not there")
    try:
        meta = tables[META]["1"]
        sequence, version, facts = meta["sequence"], meta["version"], meta.get("facts", 0)
        documents = {name.removeprefix(_SLICE): table["1"]["value"] for name, table in tables.items() if name != META}
    except (KeyError, TypeError) as error:
        raise UnsoundDocumentsError(f"{error} is missing in it") from error
    if version > VERSION:
        raise UnsoundDocumentsError(f"a newer Keyturn wrote it (version {version}, this one knows {VERSION})")
    if facts > edition():  # its records may be newer too, and they are not read, which would refuse them
        raise UnsoundDocumentsError(f"a newer Keyturn wrote it (facts of {facts}, this one knows {edition()})")
    return Checkpoint(sequence, documents, meta.get("shape", "")), version


def known_sequence(folder: AccountFolder) -> int:
    """Return the record number of documents.json; 0 if it is missing or not valid. Reads only."""
    try:
        return _checkpoint_in(folder.documents).sequence
    except (UnsoundDocumentsError, OSError):
        return 0


def newest_checkpoint(folder: AccountFolder) -> Checkpoint | None:
    """Return the newest valid checkpoint of the documents or their backups, or None. Reads only."""
    for path in (folder.documents, *(folder.backups / f"documents.{number}.json" for number in range(1, BACKUPS + 1))):
        try:
            return _checkpoint_in(path)
        except (UnsoundDocumentsError, OSError):
            continue
    return None


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
