"""The signed heads: one line per day, parsed strictly, each with the hash of the previous one.

    {"head":{"v":2,"number":3,"day":"2026-11-20","first":913,"last":1402,"sum":"…","root":"…","before":"…","key":"…"},
     "signature":"…"}

`sum` is a salted hash of the chained sum of the day's last record, `root` the day's Merkle root, `before` the hash of
the previous head. Heads of version 1 have the plain sum, and another split of each line (`parts.py`). Each line must
follow the previous one in number, records, day and key. Only finished days are signed. A head that was published, kept
elsewhere or time-stamped fixes everything before it: the owner of the key could write another record, but not one that
matches that head.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.files.regular_file import bytes_of
from core.model.lazy_dataclass import dataclass
from core.ports import JournalDamagedError, OperatorError
from state.files import AccountFolder, open_private, sync_folder, write_all
from state.journal_files import PLAIN, Walk, end_of, segments, start_at
from state.proof.parts import KINDS, commitments, leaf, root, salt_of_line, split
from state.proof.signing_key import SigningKey

SIGNED_AS = b"keyturn head 1\n"
"""Prefix of the signed bytes, so that a head's signature is valid for nothing else."""
NOTHING_BEFORE = "0" * 64


class HeadError(ValueError):
    """A fault of a line; the message contains nothing of the line itself."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one day. `first` and `last` are sequence numbers; hashes and the key are hex digits."""

    v: int
    number: int
    day: str
    first: int
    last: int
    sum: str
    root: str
    before: str
    key: str

    @property
    def written(self) -> bytes:
        """The bytes that are hashed and signed."""
        return orjson.dumps(asdict(self))

    @property
    def hash(self) -> str:
        return sha256(self.written).hexdigest()

    def follows(self, before: Head | None) -> bool:
        """Whether it is the next head of the same chain: number, records, day, version and key."""
        if before is None:
            return (self.number, self.first, self.before) == (1, 1, NOTHING_BEFORE)
        expected = (before.number + 1, before.last + 1, before.hash, before.key)
        is_next = (self.number, self.first, self.before, self.key) == expected
        return is_next and self.day > before.day and self.v >= before.v


@dataclass(frozen=True, slots=True)
class SignedHead:
    head: Head
    signature: str

    @property
    def line(self) -> bytes:
        return orjson.dumps({"head": asdict(self.head), "signature": self.signature}) + b"\n"


def read_head(line: bytes) -> SignedHead:
    """Parse a line without its newline, and check its signature. Raises `HeadError`."""
    try:
        signed = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise HeadError("it is no JSON") from None
    fields = signed.get("head") if isinstance(signed, dict) else None
    if not isinstance(fields, dict):
        raise HeadError("it holds no head")
    version = fields.get("v")
    if type(version) is int and version > max(KINDS):
        raise HeadError("a newer Keyturn signed it; start that one")
    if list(fields) != list(FORMS):
        raise HeadError("it has other fields than a head")
    if wrong := next((name for name, has_form in FORMS.items() if not has_form(fields[name])), None):
        raise HeadError(f"its {wrong} has another form")
    head, signature = Head(**fields), signed.get("signature")
    if head.first > head.last:
        raise HeadError("it runs backwards")
    if len(head.sum) != SUM_DIGITS[head.v]:
        raise HeadError("its sum has another form")
    if not _is_hex(128)(signature) or (found := SignedHead(head, signature)).line[:-1] != line:
        raise HeadError("it is not written as a head is")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.key)).verify(
            bytes.fromhex(signature), SIGNED_AS + head.written
        )
    except (InvalidSignature, ValueError):
        raise HeadError("it is not as it was signed") from None
    return found


LARGEST = 2**63 - 1
SUM_DIGITS = {1: 32, 2: 64}
"""By the version of the head."""
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")


def _is_number(value: object) -> bool:
    return type(value) is int and 1 <= value <= LARGEST


def _is_hex(digits: int) -> Callable[[object], bool]:
    like = re.compile(f"[0-9a-f]{{{digits}}}")
    return lambda value: isinstance(value, str) and like.fullmatch(value) is not None


def _is_sum(value: object) -> bool:
    return _is_hex(32)(value) or _is_hex(64)(value)


def _is_day(value: object) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


FORMS: Mapping[str, Callable[[object], bool]] = {
    "v": lambda value: type(value) is int and value in KINDS,
    "number": _is_number,
    "day": _is_day,
    "first": _is_number,
    "last": _is_number,
    "sum": _is_sum,
    "root": _is_hex(64),
    "before": _is_hex(64),
    "key": _is_hex(64),
}
"""In the order of writing."""


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

    Raises OperatorError: the chain was signed by another key.
    Raises JournalDamagedError: the journal or the chain of heads is not valid.
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
