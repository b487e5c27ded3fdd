"""The chain of heads: one signed line per day, each with the hash of the previous one (SP-08).

Each line is parsed strictly (`head.py`), and must follow the previous one in number, records, day and key. Only
finished days are signed. A head that was published, kept elsewhere or time-stamped fixes everything before it: the
owner of the key could write another record, but not one that matches that head.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from core.files.regular_file import bytes_of
from core.ports import JournalDamagedError, OperatorError
from state.files import open_private, sync_folder, write_all
from state.folders import AccountFolder
from state.journal_segments import PLAIN, Walk, end_of, segments, start_at
from state.proof.head import NOTHING_BEFORE, SIGNED_AS, Head, HeadError, SignedHead, read_head
from state.proof.parts import split
from state.proof.signing_key import SigningKey
from state.proof.tree import commitments, leaf, root, salt_of_line

VERSION = 2


def read_heads(path: Path) -> list[SignedHead]:
    """Return the complete heads; a last one cut short by a crash is ignored, and signed again later.

    Raises `JournalDamagedError` with the line of a head that is changed or does not follow.
    """
    found: list[SignedHead] = []
    for number, line in enumerate(_whole(path).split(b"\n")[:-1], start=1):
        try:
            signed = read_head(line)
        except HeadError as error:
            raise JournalDamagedError(f"{path.name}, line {number}: {error}") from None
        if not signed.head.follows(found[-1].head if found else None):
            raise JournalDamagedError(f"{path.name}, line {number}: it does not follow the head before it")
        found.append(signed)
    return found


def _whole(path: Path) -> bytes:
    try:
        content = bytes_of(path)
    except FileNotFoundError:
        return b""
    return content[: content.rfind(b"\n") + 1]


def sign_days(folder: AccountFolder, key: SigningKey, now: datetime) -> list[SignedHead]:
    """Sign each finished day without a head, and sync; return the new heads.

    Raises
    ------
    OperatorError
        The chain was signed by another key.
    JournalDamagedError
        The journal or the chain of heads is not valid.
    """
    with _alone(folder):
        return _sign_days(folder, key, now)


@contextmanager
def _alone(folder: AccountFolder) -> Iterator[None]:
    """Hold a lock while signing, manually or automatically; a second signer waits and finds the new heads."""
    descriptor = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sign_days(folder: AccountFolder, key: SigningKey, now: datetime) -> list[SignedHead]:
    known = read_heads(folder.heads)
    if known and known[-1].head.key != key.public.hex():
        raise OperatorError(
            f"{folder.heads.name} is signed by the key {known[-1].head.key[:16]}…, and this one is "
            f"{key.public.hex()[:16]}…: sign with that one, or move the file away to begin a new chain"
        )
    last = known[-1].head if known else None
    new: list[SignedHead] = []
    paths = segments(folder.journal) if folder.journal.is_dir() else []
    for path in paths:
        day = date.fromisoformat(path.stem)
        if (last is not None and path.stem <= last.day) or end_of(day) > now:
            continue
        if path == paths[-1] and folder.exchange.exists():
            continue  # a simulated clock, not wall time: the last day may continue
        if not path.stat().st_size:
            continue  # nothing of the day reached the disk: the next start removes it
        last = _head_of(folder, path, last, key)
        new.append(SignedHead(last, key.sign(SIGNED_AS + last.written).hex()))
    _append(folder.heads, new)
    return new


def _head_of(folder: AccountFolder, path: Path, before: Head | None, key: SigningKey) -> Head:
    first = before.last + 1 if before is not None else 1
    leaves = []
    walk = _walk(folder, path, first)
    for line in walk:
        salt = salt_of_line(key.secret, walk.sequence)
        leaves.append(leaf(walk.sequence, commitments(split(line, VERSION), salt)))
    return Head(
        VERSION,
        before.number + 1 if before is not None else 1,
        path.stem,
        first,
        walk.sequence,
        sha256(salt_of_line(key.secret, walk.sequence) + walk.sum.encode()).hexdigest(),
        root(leaves).hex(),
        before.hash if before is not None else NOTHING_BEFORE,
        key.public.hex(),
    )


def _walk(folder: AccountFolder, path: Path, first: int) -> Walk:
    """Return a walk over one segment, checked against the previous one."""
    until = [each for each in segments(folder.journal) if each.stem <= path.stem]
    start = start_at(until, first)
    if (start.index, start.sequence) != (len(until) - 1, first - 1):
        raise JournalDamagedError(f"{path.name} does not begin with record {first}: the journal is not the signed one")
    return Walk(until, start)


def lines_of(folder: AccountFolder, head: Head) -> Iterator[tuple[int, bytes]]:
    """The records of a signed day, each with its number, without their newlines."""
    paths = {path.stem: path for path in segments(folder.journal)}
    walk = _walk(folder, paths.get(head.day, folder.journal / f"{head.day}{PLAIN}"), head.first)
    for line in walk:
        yield walk.sequence, line


def _append(path: Path, heads: Sequence[SignedHead]) -> None:
    if not heads:
        return
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.ftruncate(descriptor, len(_whole(path)))
        write_all(descriptor, b"".join(signed.line for signed in heads))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)
