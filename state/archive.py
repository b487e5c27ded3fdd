"""Read the archive of a backup without trusting it (SP-04).

Nothing in an archive decides where a file goes: only names that a backup writes are accepted. Links, devices,
extensions, repeated names and implausible sizes are refused. The archive is read to its end, which has its checksum,
before anything is written.
"""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from core.files.regular_file import reading
from core.ports import OperatorError
from state.files import make_folder, naming, open_private, write_all

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
                _require_ours(path, entry)
                if entry.type == tarfile.DIRTYPE:
                    continue
                take(entry.name, entry.size, plain)
                _exactly(plain, -entry.size % BLOCK)
            if len(plain.read(MOST_AFTER_THE_END + 1)) > MOST_AFTER_THE_END:
                raise ArchiveError(f"{path.name} goes on after its end; it is no backup of Keyturn's")
    except (EOFError, UnicodeDecodeError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise ArchiveError(f"{path.name} is damaged or cut short ({error}); take another backup") from error


def _require_ours(path: Path, entry: tarfile.TarInfo) -> None:
    """Check that an entry is a file or a folder as a backup writes it. Raises `ArchiveError`."""
    _account, _, inner = entry.name.partition("/")
    is_file = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and OURS.fullmatch(inner)
    is_folder = entry.type == tarfile.DIRTYPE and inner in FOLDERS and not entry.size
    if not (is_file or is_folder):
        raise ArchiveError(f"{path.name} holds {entry.name!r}, which no backup does; nothing of it is restored")
    if not 0 <= entry.size <= MOST_BYTES:
        raise ArchiveError(f"{path.name}: {entry.name!r} claims {entry.size} bytes; nothing of it is restored")


def _pieces(source: BufferedIOBase, size: int) -> Iterator[bytes]:
    """Yield a file's bytes in pieces."""
    while size:
        piece = _exactly(source, min(PIECE, size))
        size -= len(piece)
        yield piece


def _exactly(source: BufferedIOBase, size: int) -> bytes:
    content = source.read(size)
    if len(content) != size:
        raise EOFError("it ends in the middle")
    return content
