"""The frames of `engine.sock`, their order, and several connections over one stream.

A desk opens two connections, one per role, and begins each with a `Hello`; the engine answers `Welcome` or `Refused`,
and closes the connection after a refusal. The desk's connection has its commands and its views: a view is sent
completely once, then as changes. The press connection has only `Press` and `Pressed`, so that a halt and a kill never
wait.

`Hello` and `Refused` never change: they let programs of different releases detect the mismatch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, TypeAlias, cast, get_args, get_type_hints

import msgspec
from msgspec import Meta, Raw, Struct

from core.model.lazy_dataclass import dataclass
from core.protocol.codec import FrameError, digest_of

LENGTH = 4
"""Bytes of the length prefix of a frame, big-endian."""
LARGEST = 4 * 1024 * 1024
"""The maximum size of a frame in bytes."""
LARGEST_HELLO = 4096
"""The same before the peer is accepted."""

MOST_LETTERS = 256
Word: TypeAlias = Annotated[str, Meta(max_length=MOST_LETTERS)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Clock: TypeAlias = Annotated[datetime, Meta(tz=True)] | None
"""The engine's time, UTC; None before it is known."""


Match: TypeAlias = tuple[Word, Word, Word, bool, bool]
"""The fields of a `ListedAsset`, in order."""


class Role(StrEnum):
    """The purpose of a connection."""

    DESK = "desk"
    PRESS = "press"
    LOOK = "look"
    """Shows one picture, and hangs up: nothing is attached, and nothing that it says is heard (SY-08)."""
    CHECK = "check"
    """Tries one basket on a copy of the books, and hangs up: it can stage nothing (OP-05)."""


class PressKind(StrEnum):
    HALT = "halt"
    KILL = "kill"


class RefusalCode(StrEnum):
    """Why a connection is refused or ended. `Refused` has it as text, because an older desk may not know it."""

    OTHER_PROTOCOL = "other-protocol"
    OTHER_USER = "other-user"
    NOT_UNDERSTOOD = "not-understood"
    """A frame that cannot be decoded ends the connection."""
    TOO_MANY = "too-many"
    NOT_READY = "not-ready"
    LEAVING = "leaving"


class Frame(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag_field="frame"):
    """A message; a list that begins with its name on the wire."""


# ── from a desk ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Hello(Frame, tag="hello", frozen=True):
    """The first frame of each connection.

    Attributes
    ----------
    protocol
        The desk's `PROTOCOL`; a mismatch is refused.
    version
        The version of the desk's program, for people.
    terminal, user, address
        The operator's place, for the record of a confirmation. The kernel's information has priority; the terminal of a
        desk over SSH is on another machine, and known only from here.
    token
        From an earlier `Welcome`, to return as the same desk. Empty for a new desk.
    symbol
        Of a look: the symbol whose chart its picture has; empty for none.
    """

    protocol: Word
    version: Word
    role: Role
    terminal: Word = ""
    user: Word = ""
    address: Word = ""
    token: Word = ""
    symbol: Word = ""


class Say(Frame, tag="say", frozen=True):
    """A command, with a sequence number of this desk that `Answered` refers to.

    `command` is `encode(command)`. It includes its account and no sender, which the engine's side adds. `seen` is the
    number of presses in the desk's last view: a command that ends a halt does not end presses that its operator had not
    seen.
    """

    number: Count
    command: Raw
    seen: Count


class Attend(Frame, tag="attend", frozen=True):
    """A person begins or stops deciding: meanwhile virtual time runs at ×1."""

    attended: bool


class Watch(Frame, tag="watch", frozen=True):
    """The desk shows this symbol's chart, or none."""

    symbol: Word | None


class Search(Frame, tag="search", frozen=True):
    """Search the broker's symbols by symbol or name; `Found` answers, to this desk only."""

    text: Word


class Seen(Frame, tag="seen", frozen=True):
    """A sign of life of the desk."""

    number: Count


class Detach(Frame, tag="detach", frozen=True):
    """The operator left this desk on purpose; the engine continues."""


class Check(Frame, tag="check", frozen=True):
    """The only frame of a check: `basket` is `encode(OpenBasket)`, with its account; `Checked` answers."""

    basket: Raw


class Press(Frame, tag="press", frozen=True):
    """A halt or a kill; the only frame of a press connection. It stops new entries and removes no stops.

    `token` is that of the desk, for the record; empty if it has none yet.
    """

    number: Count
    kind: PressKind
    token: Word = ""


# ── from the engine ──────────────────────────────────────────────────────────────────────────────────────────────────


class Welcome(Frame, tag="welcome", frozen=True):
    """The answer to a hello.

    Attributes
    ----------
    desk
        The number of this desk in the engine's books.
    token
        Identifies the desk when it returns, and its presses.
    account
        The engine's account.
    keys
        The key bindings that the settings change, by the identifiers of the table.
    """

    protocol: Word
    version: Word
    desk: Count
    token: Word
    account: Word
    keys: dict[Word, Word] = {}


class Refused(Frame, tag="refused", frozen=True):
    """The last frame; `reason` is a `RefusalCode`, `words` suggest a remedy."""

    reason: str
    words: str


class Preparing(Frame, tag="preparing", frozen=True):
    """There is no view yet; `words` describe the preparation."""

    words: str


class Snapshot(Frame, tag="picture", frozen=True):
    """A complete view: the first one, and whenever changes do not suffice. `value` is `encode(view)`.

    `presses` is the number of halts and kills in it, since the engine's start.
    """

    number: Count
    clock: Clock
    rate: float
    presses: Count
    value: Raw


class Changed(Frame, tag="changed", frozen=True):
    """The changes from the view numbered `since`, which the desk has; `changes` is `encode_changes`."""

    number: Count
    since: Count
    clock: Clock
    rate: float
    presses: Count
    changes: Raw


class Answered(Frame, tag="answered", frozen=True):
    """The result of a command; `refusal` is empty if it was accepted."""

    number: Count
    refusal: str = ""


class Found(Frame, tag="found", frozen=True):
    """The answer to a search for `asked`; `is_listed` says whether the broker's list is known."""

    asked: Word
    is_listed: bool
    matches: tuple[Match, ...] = ()


class Checked(Frame, tag="checked", frozen=True):
    """The answer to a check, and the last frame; `value` is `encode(BasketCheck)`."""

    value: Raw


class Pressed(Frame, tag="pressed", frozen=True):
    """The latch is set: no order that opens a position leaves any more."""

    number: Count


class Ended(Frame, tag="ended", frozen=True):
    """The engine has closed its journal; `words` list requests that were due and could not be sent (EX-22)."""

    words: tuple[str, ...] = ()


class Pulse(Frame, tag="pulse", frozen=True):
    """The engine is alive. Sent in silence; with a time if it has checked and found no change."""

    clock: Clock = None
    rate: float = 1.0
    presses: Count = 0


FromDesk: TypeAlias = Hello | Say | Attend | Watch | Search | Seen | Detach | Check | Press
FromEngine: TypeAlias = (
    Welcome | Refused | Preparing | Snapshot | Changed | Answered | Found | Checked | Pressed | Ended | Pulse
)


def _protocol() -> str:
    """Return the digest of all frames and the classes in them."""
    frames = (*get_args(FromDesk), *get_args(FromEngine))
    return digest_of((frame.__name__, get_type_hints(frame)) for frame in frames)


PROTOCOL = _protocol()
"""Programs with different digests refuse each other."""

_encoder = msgspec.msgpack.Encoder()
_from_desk: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(FromDesk)
_anything: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder()
_from_engine: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(FromEngine)


def pack(frame: Frame) -> bytes:
    """Encode a frame with its length prefix. Raises `FrameError` for a frame that is too large, or has invalid text."""
    try:
        data = _encoder.encode(frame)
    except (OverflowError, UnicodeEncodeError, TypeError) as error:
        raise FrameError(f"{type(frame).__name__} cannot be sent: {error}") from error
    if len(data) > LARGEST:
        raise FrameError(f"{type(frame).__name__} of {len(data)} bytes; a frame has at most {LARGEST}")
    return len(data).to_bytes(LENGTH, "big") + data


def from_desk(data: bytes) -> FromDesk:
    """Decode a frame without its length. Raises `FrameError`."""
    return cast(FromDesk, _read(_from_desk, data))


def first_word(data: bytes) -> FromDesk:
    """Decode the first frame; a hello of another release may have more or fewer fields, and then its beginning is read.

    Raises `FrameError`.
    """
    try:
        return from_desk(data)
    except FrameError:
        said = _read(_anything, data)
        match said:
            case ["hello", str(protocol), *rest] if protocol != PROTOCOL:
                version = rest[0] if rest and isinstance(rest[0], str) else ""
                return Hello(protocol[:MOST_LETTERS], version[:MOST_LETTERS], Role.DESK)
        raise


def from_engine(data: bytes) -> FromEngine:
    """Decode a frame without its length. Raises `FrameError`."""
    return cast(FromEngine, _read(_from_engine, data))


def _read(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise FrameError(f"no frame of this protocol: {error}") from error


class FrameReader:
    """Buffers an incomplete frame, and no more than one.

    `largest` is the maximum size of a frame in bytes; it may be raised once the peer is accepted. A longer one is
    refused by its length, before its content arrives; after that the reader accepts nothing.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._held = bytearray()
        self._is_refused = False

    @property
    def holds_part(self) -> bool:
        """Whether the beginning of a frame waits for its rest."""
        return bool(self._held)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the complete frames without their lengths. Raises `FrameError`.

        Take all of them before feeding more bytes.
        """
        self._held += data
        while (end := self._end()) is not None:
            frame = bytes(memoryview(self._held)[LENGTH:end])
            del self._held[:end]
            yield frame

    def _end(self) -> int | None:
        """Return the end of a complete frame, or None."""
        if self._is_refused:
            raise FrameError("a frame after one that was refused")
        if len(self._held) < LENGTH:
            return None
        length = int.from_bytes(self._held[:LENGTH], "big")
        if length > self.largest:
            self._is_refused = True
            self._held.clear()
            raise FrameError(f"a frame of {length} bytes; here one has at most {self.largest}")
        end = LENGTH + length
        return end if len(self._held) >= end else None


# ── connections through a relay ──────────────────────────────────────────────────────────────────────────────────────
# Several connections over one stream: the protocol between `keyturn relay` and a desk on another machine.
#
# Both ends begin with a line that gives the relay's version; after it come pieces, each of one channel.

RELAY = 1
"""The version of this protocol."""
GREETING = b"keyturn relay "
HELLO = GREETING + b"%d\n" % RELAY
LARGEST_LINE = 64
LARGEST_PIECE = 65_536
"""The maximum size of a piece in bytes: a press waits for at most one piece of a view."""
HEAD = 6
"""Bytes of a piece's header: kind, channel, and a four-byte length."""


class Kind(IntEnum):
    OPEN = 1
    """Sent by the desk; answered by the relay once the channel is connected, with an optional message for the desk."""
    DATA = 2
    CLOSE = 3
    """The channel is closed by either end; the data is the reason."""


class Channel(IntEnum):
    DESK = 1
    PRESS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    channel: Channel
    data: bytes = b""


def packed(piece: Piece) -> bytes:
    """Encode a piece. Raises `FrameError` if the other end would refuse it."""
    if len(piece.data) > LARGEST_PIECE:
        raise FrameError(f"a piece of {len(piece.data)} bytes; here one has at most {LARGEST_PIECE}")
    return bytes((piece.kind, piece.channel)) + len(piece.data).to_bytes(4, "big") + piece.data


def pieces_of(channel: Channel, data: bytes) -> Iterator[bytes]:
    """Split a connection's data into encoded pieces."""
    for start in range(0, len(data), LARGEST_PIECE):
        yield packed(Piece(Kind.DATA, channel, data[start : start + LARGEST_PIECE]))


class PieceReader:
    """Splits the other end's stream into pieces; after a `FrameError` it accepts nothing."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._is_greeted = self._is_refused = False

    @property
    def is_greeted(self) -> bool:
        """Whether the other end has identified itself as a relay of this version."""
        return self._is_greeted

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Yield the complete pieces. Raises `FrameError`."""
        if self._is_refused:
            raise FrameError("a piece after one that was refused")
        self._held += data
        try:
            if not self._is_greeted and not self._greet():
                return
            while (piece := self._next()) is not None:
                yield piece
        except FrameError:
            self._is_refused = True
            self._held.clear()
            raise

    def _greet(self) -> bool:
        """Whether the first line is complete and valid."""
        line, end, _rest = bytes(self._held[:LARGEST_LINE]).partition(b"\n")
        is_ours = line.startswith(GREETING) or (not end and GREETING.startswith(line))
        if not is_ours or (not end and len(line) == LARGEST_LINE):
            raise FrameError("the other end is no relay of Keyturn: does its shell print something at a login?")
        if not end:
            return False
        if line + end != HELLO:
            raise FrameError("the other end speaks another relay; install the same Keyturn on both machines")
        del self._held[: len(HELLO)]
        self._is_greeted = True
        return True

    def _next(self) -> Piece | None:
        if len(self._held) < HEAD:
            return None
        length = int.from_bytes(self._held[2:HEAD], "big")
        if length > LARGEST_PIECE:
            raise FrameError(f"a piece of {length} bytes; here one has at most {LARGEST_PIECE}")
        try:
            kind, channel = Kind(self._held[0]), Channel(self._held[1])
        except ValueError as unknown:
            raise FrameError(f"a piece that no relay sends: {unknown}") from None
        if len(self._held) < HEAD + length:
            return None
        data = bytes(self._held[HEAD : HEAD + length])
        del self._held[: HEAD + length]
        return Piece(kind, channel, data)
