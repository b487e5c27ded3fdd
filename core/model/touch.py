"""Hardware-backed SSH keys: their wire form, what they sign here, and the check of a signature (OP-15).

A signature is valid for one message, which names its purpose, the account, a nonce, and what is confirmed. Each
verified touch changes the nonce, so a used signature fits nothing later, also of a key that does not count. The
authenticator signs the hash of its application, a byte of flags and a counter beside the message (OpenSSH,
PROTOCOL.u2f). Everything here is pure. `cryptography` is loaded by the first check, not by the desk's first paint.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import NewType

from core.model.lazy_dataclass import dataclass
from core.model.values import AccountId, Digest, TicketId

ED25519 = "sk-ssh-ed25519@openssh.com"
ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
CURVE = "nistp256"
APPLICATION = b"ssh:"
"""Applications of SSH keys begin so; a signature made for a website has another one."""
USER_PRESENT = 0x01
POINT_BYTES = {ED25519: 32, ECDSA: 65}
UNCOMPRESSED = b"\x04"
SIGNATURE_BYTES = 64
"""Of Ed25519."""
NUMBER_BYTES = 33
"""Of 256 bits at most, with the sign."""
MOST_KEYS = 2
"""Keys that can be enrolled at once."""
LONGEST_LINE, LONGEST_LABEL, LONGEST_BLOB = 1024, 40, 1024

Nonce = NewType("Nonce", str)
"""What makes a message of the next touch differ from all messages before."""


class TouchPurpose(StrEnum):
    """What a signature is for: one of a purpose confirms nothing else."""

    TICKET = "ticket"
    BASKET = "basket"
    ENROLL = "enroll"
    REMOVE = "remove"
    LOOSEN = "loosen"


class TouchCode(StrEnum):
    """Why a signature, or a key, is refused."""

    NO_KEY = "no_key"
    NO_SIGNATURE = "no_signature"
    UNKNOWN_KEY = "unknown_key"
    MALFORMED = "malformed"
    NOT_TOUCHED = "not_touched"
    WRONG = "wrong"
    COUNTER = "counter"
    USED = "used"
    """In journals from before messages had a nonce."""
    TOO_MANY = "too_many"
    ENROLLED = "enrolled"

    @property
    def in_words(self) -> str:
        return WORDS[self]


WORDS = {
    TouchCode.NO_KEY: "no security key is enrolled; `keyturn touch enroll` enrolls one",
    TouchCode.NO_SIGNATURE: "it needs the touch of an enrolled security key",
    TouchCode.UNKNOWN_KEY: "that security key is not enrolled; `keyturn touch list` names those that are",
    TouchCode.MALFORMED: "the signature cannot be read",
    TouchCode.NOT_TOUCHED: "the key signed without a touch; make one without -O no-touch-required",
    TouchCode.WRONG: "the signature is not over this, or was used already",
    TouchCode.COUNTER: "the key's counter went back: the signature is old, or the key was copied",
    TouchCode.USED: "the signature was used already",
    TouchCode.TOO_MANY: f"{MOST_KEYS} security keys are enrolled; remove one first",
    TouchCode.ENROLLED: "that security key is enrolled already",
}


class TouchFormError(ValueError):
    """Bytes that are no such key or signature; the message says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of a security key.

    Attributes
    ----------
    point
        The 32 bytes of an Ed25519 key, or the uncompressed point of an ECDSA key.
    blob
        Its wire form, by which an agent finds it.
    """

    type: str
    point: bytes
    application: bytes
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return "SHA256:" + b64encode(sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class TouchKey:
    """An enrolled key: its OpenSSH line without the comment, and the operator's name for it."""

    fingerprint: str
    line: str
    label: str


@dataclass(frozen=True, slots=True)
class TouchTerms:
    """The settings `confirm.touch` and `confirm.touch_above_usd`."""

    touch: str
    above_usd: Decimal


@dataclass(frozen=True, slots=True)
class TouchSignature:
    """A signature in the agent's wire form, in Base64, and the fingerprint of its key."""

    fingerprint: str
    text: str

    @classmethod
    def of(cls, fingerprint: str, content: bytes) -> TouchSignature:
        return cls(fingerprint, b64encode(content).decode())

    @property
    def content(self) -> bytes:
        """The signature; empty, which no key verifies, if the text is no Base64."""
        try:
            return b64decode(self.text, validate=True)
        except ValueError:
            return b""


@dataclass(frozen=True, slots=True)
class Touch:
    """A valid signature with the user-presence flag: its key, its counter, and the digest of its message."""

    fingerprint: str
    counter: int
    digest: Digest


# ── wire form ────────────────────────────────────────────────────────────────────────────────────────────────────────


class WireReader:
    """Reads strings and numbers of the SSH wire format. Raises `TouchFormError` where the bytes end early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, length: int) -> bytes:
        end = self._place + length
        if end > len(self._data):
            raise TouchFormError("it ends early")
        taken, self._place = self._data[self._place : end], end
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def end(self) -> None:
        if self._place != len(self._data):
            raise TouchFormError("it has bytes behind its end")


def wire_string(data: bytes) -> bytes:
    """Return a string of the SSH wire format."""
    return len(data).to_bytes(4, "big") + data


def read_key(line: str) -> PublicKey:
    """Read an OpenSSH public key line, with or without a comment. Raises `TouchFormError`."""
    kind, _, rest = line.strip().partition(" ")
    if len(line) > LONGEST_LINE or kind not in POINT_BYTES:
        raise TouchFormError(f"it is no line of a security key: it begins with {ED25519} or {ECDSA}")
    try:
        blob = b64decode(rest.split(" ")[0].encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise TouchFormError("its key is not in base64") from None
    key = read_key_blob(blob)
    if key.type != kind:
        raise TouchFormError("its type is not that of its key")
    return key


def read_key_blob(blob: bytes) -> PublicKey:
    """Read a public key in its wire form. Raises `TouchFormError`."""
    reader = WireReader(blob)
    kind = reader.string().decode("ascii", "replace")
    if kind not in POINT_BYTES:
        raise TouchFormError("it is no key of a security key")
    if kind == ECDSA and reader.string() != CURVE.encode():
        raise TouchFormError(f"its curve is not {CURVE}")
    point, application = reader.string(), reader.string()
    reader.end()
    if len(point) != POINT_BYTES[kind] or (kind == ECDSA and not point.startswith(UNCOMPRESSED)):
        raise TouchFormError("its point has another form")
    if not application.startswith(APPLICATION):
        raise TouchFormError(f"its application does not begin with {APPLICATION.decode()}")
    return PublicKey(kind, point, application, blob)


def line_of(key: PublicKey) -> str:
    """Return its OpenSSH line without a comment."""
    return f"{key.type} {b64encode(key.blob).decode()}"


@dataclass(frozen=True, slots=True)
class _Signed:
    """The parts of a signature; `numbers` are those of an ECDSA signature, `raw` is that of Ed25519."""

    raw: bytes
    numbers: tuple[int, int]
    flags: int
    counter: int


def _read_signature(kind: str, blob: bytes) -> _Signed:
    if len(blob) > LONGEST_BLOB:
        raise TouchFormError("it is too long")
    reader = WireReader(blob)
    if reader.string() != kind.encode():
        raise TouchFormError("its type is not that of its key")
    raw, numbers = reader.string(), (0, 0)
    flags, counter = reader.take(1)[0], reader.number()
    reader.end()
    if kind == ECDSA:
        inner = WireReader(raw)
        numbers = _positive(inner.string()), _positive(inner.string())
        inner.end()
    elif len(raw) != SIGNATURE_BYTES:
        raise TouchFormError("it has another length")
    return _Signed(raw, numbers, flags, counter)


def _positive(number: bytes) -> int:
    """Return a number of 256 bits at most, above zero. Raises `TouchFormError`."""
    if not number or len(number) > NUMBER_BYTES or number[0] & 0x80:
        raise TouchFormError("one of its numbers has another form")
    value = int.from_bytes(number, "big")
    if value == 0 or value >= 1 << 256:
        raise TouchFormError("one of its numbers has another form")
    return value


# ── what is signed ───────────────────────────────────────────────────────────────────────────────────────────────────


def nonce_of(installation: str, number: int) -> Nonce:
    """Return the nonce after `number` verified touches. A reset and a restore name the installation anew."""
    return Nonce(f"{number}.{installation}")


def ticket_message(account: AccountId | str, nonce: Nonce, ticket_id: TicketId, digest: Digest) -> bytes:
    """Return what confirms one ticket: a later ticket of the same order has another id, and needs another touch."""
    return _message(TouchPurpose.TICKET, account, nonce, ticket_id, digest)


def basket_message(account: AccountId | str, nonce: Nonce, plan_id: TicketId, digest: Digest) -> bytes:
    return _message(TouchPurpose.BASKET, account, nonce, plan_id, digest)


def enroll_message(account: AccountId | str, nonce: Nonce, fingerprint: str) -> bytes:
    """Return what enrolls a key: the new key signs it, and beside it an enrolled one where there is one."""
    return _message(TouchPurpose.ENROLL, account, nonce, fingerprint)


def remove_message(account: AccountId | str, nonce: Nonce, fingerprint: str) -> bytes:
    return _message(TouchPurpose.REMOVE, account, nonce, fingerprint)


def loosen_message(account: AccountId | str, nonce: Nonce, digest: str) -> bytes:
    """Return what loosens `confirm.touch`; `digest` is that of the settings file as shown."""
    return _message(TouchPurpose.LOOSEN, account, nonce, digest)


def _message(purpose: TouchPurpose, account: str, nonce: Nonce, *parts: str) -> bytes:
    signed = (account, nonce, *parts)
    return b"keyturn " + purpose.encode() + b"\0" + b"".join(wire_string(part.encode()) for part in signed)


# ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify(key: PublicKey, message: bytes, blob: bytes) -> Touch | TouchCode:
    """Return the touch that this signature proves, or why it proves none."""
    try:
        signed = _read_signature(key.type, blob)
    except TouchFormError:
        return TouchCode.MALFORMED
    counter = signed.counter.to_bytes(4, "big")
    data = sha256(key.application).digest() + bytes([signed.flags]) + counter + sha256(message).digest()
    if not _is_signed(key, signed, data):
        return TouchCode.WRONG
    if not signed.flags & USER_PRESENT:
        return TouchCode.NOT_TOUCHED
    return Touch(key.fingerprint, signed.counter, Digest(sha256(message).hexdigest()))


def _is_signed(key: PublicKey, signed: _Signed, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if key.type == ED25519:
            Ed25519PublicKey.from_public_bytes(key.point).verify(signed.raw, data)
        else:
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.point)
            point.verify(utils.encode_dss_signature(*signed.numbers), data, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):  # ValueError: its point is not on the curve
        return False
    return True
