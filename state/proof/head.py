"""A signed head of one day, and the strict parsing of its line: each field in its exact form (SP-08).

    {"head":{"v":2,"number":3,"day":"2026-11-20","first":913,"last":1402,"sum":"…","root":"…","before":"…","key":"…"},
     "signature":"…"}

`sum` is a salted hash of the chained sum of the day's last record, `root` the day's Merkle root, `before` the hash of
the previous head. Heads of version 1 have the plain sum, and another split of each line (`parts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from state.proof.parts import KINDS

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
