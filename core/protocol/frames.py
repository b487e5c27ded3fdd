"""The frames of `engine.sock`: who says what, and when.

A desk opens two connections, one of each role, and begins each with a `Hello`; the engine answers `Welcome` or
`Refused`, and after a refusal it hangs up. The desk's connection has its commands, and what it shows: a picture crosses
whole once and then as its changes. The press's has nothing but `Press` and `Pressed`, so that a halt and a kill wait
for nothing.

`Hello` and `Refused` never change: by them two programs of different releases find out that they are.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias, cast, get_args, get_type_hints

import msgspec
from msgspec import Meta, Raw, Struct

from core.protocol.errors import FrameError
from core.protocol.shapes import digest_of

LENGTH = 4
"""Bytes before each frame that say how long it is, the highest first."""
LARGEST = 4 * 1024 * 1024
"""Bytes of one frame, at most."""
LARGEST_HELLO = 4096
"""The same before the peer is welcome."""

MOST_LETTERS = 256
Word: TypeAlias = Annotated[str, Meta(max_length=MOST_LETTERS)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
Clock: TypeAlias = Annotated[datetime, Meta(tz=True)] | None
"""The engine's time, UTC; None before it is there."""


Match: TypeAlias = tuple[Word, Word, Word, bool, bool]
"""A `ListedAsset`, its fields in their order."""


class Role(StrEnum):
    """What a connection is for."""

    DESK = "desk"
    PRESS = "press"


class PressKind(StrEnum):
    HALT = "halt"
    KILL = "kill"


class RefusalCode(StrEnum):
    """Why a connection is refused, or ended. A `Refused` carries it as a text: an older desk may not know it."""

    OTHER_PROTOCOL = "other-protocol"
    OTHER_USER = "other-user"
    NOT_UNDERSTOOD = "not-understood"
    """A frame that does not decode ends the connection."""
    TOO_MANY = "too-many"
    NOT_READY = "not-ready"
    LEAVING = "leaving"


class Frame(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag_field="frame"):
    """One thing that is said. On the wire it is a list that its name begins."""


# ── from a desk ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Hello(Frame, tag="hello", frozen=True):
    """The first frame of each connection.

    Attributes
    ----------
    protocol
        The desk's `PROTOCOL`; where it is not the engine's, they do not talk.
    version
        Of the desk's program, for people.
    terminal, user, address
        Where the operator sits, for the record of a confirmation. The kernel's word goes before them; the terminal of a
        desk that came over SSH is on another machine, and known by its word alone.
    token
        Of an earlier `Welcome`: the same desk again. Empty for a new desk.
    """

    protocol: Word
    version: Word
    role: Role
    terminal: Word = ""
    user: Word = ""
    address: Word = ""
    token: Word = ""


class Say(Frame, tag="say", frozen=True):
    """A command, in a number that this desk counts up; `Answered` names it.

    `command` is `encode(command)`. It has its account in itself and no sender: the engine's side stamps that. `seen` is
    the count of presses in what this desk was shown last: what ends a halt ends none that its operator had not seen.
    """

    number: Count
    command: Raw
    seen: Count


class Attend(Frame, tag="attend", frozen=True):
    """A person is deciding, or no more: virtual time runs at ×1 meanwhile."""

    attended: bool


class Watch(Frame, tag="watch", frozen=True):
    """The desk shows this symbol's chart, or none."""

    symbol: Word | None


class Search(Frame, tag="search", frozen=True):
    """What the broker trades by this symbol or name? `Found` answers, this desk alone."""

    text: Word


class Seen(Frame, tag="seen", frozen=True):
    """This desk is there, and says nothing else."""

    number: Count


class Detach(Frame, tag="detach", frozen=True):
    """The operator left this desk on purpose; the engine goes on."""


class Press(Frame, tag="press", frozen=True):
    """A halt or a kill; the one frame of a press's connection. It stops what is new, and uncovers nothing.

    `token` is that of the desk where it was pressed, for the record; empty where that has none yet.
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
        The number that the engine's books have for this desk.
    token
        By which it may come back, and by which its press is known.
    account
        Whose engine it is.
    keys
        Those that the settings move, by the identifiers of the table.
    """

    protocol: Word
    version: Word
    desk: Count
    token: Word
    account: Word
    keys: dict[Word, Word] = {}


class Refused(Frame, tag="refused", frozen=True):
    """Nothing more comes; `reason` is a `RefusalCode`, `words` say what to do."""

    reason: str
    words: str


class Preparing(Frame, tag="preparing", frozen=True):
    """There is no picture yet, and what the engine does meanwhile."""

    words: str


class Picture(Frame, tag="picture", frozen=True):
    """The whole picture: the first one, and whenever changes would not do. `value` is `encode(view)`.

    `presses` is how many halts and kills are in it, since the engine began.
    """

    number: Count
    clock: Clock
    rate: float
    presses: Count
    value: Raw


class Changed(Frame, tag="changed", frozen=True):
    """What makes this picture of the one numbered `since`, which the desk has seen; `changes` is `encode_changes`."""

    number: Count
    since: Count
    clock: Clock
    rate: float
    presses: Count
    changes: Raw


class Answered(Frame, tag="answered", frozen=True):
    """What was said was taken in, or why not; `refusal` is empty where it was."""

    number: Count
    refusal: str = ""


class Found(Frame, tag="found", frozen=True):
    """The answer to a search for `asked`; `is_listed` is whether the broker's list is there."""

    asked: Word
    is_listed: bool
    matches: tuple[Match, ...] = ()


class Pressed(Frame, tag="pressed", frozen=True):
    """The latch is set: nothing that opens leaves from here."""

    number: Count


class Ended(Frame, tag="ended", frozen=True):
    """The engine has closed its journal; `words` is what it owed and could not send (EX-22)."""

    words: tuple[str, ...] = ()


class Pulse(Frame, tag="pulse", frozen=True):
    """The engine lives. Sent in a silence; with a time where it has looked, and found nothing to change."""

    clock: Clock = None
    rate: float = 1.0
    presses: Count = 0


FromDesk: TypeAlias = Hello | Say | Attend | Watch | Search | Seen | Detach | Press
FromEngine: TypeAlias = Welcome | Refused | Preparing | Picture | Changed | Answered | Found | Pressed | Ended | Pulse


def _protocol() -> str:
    """Of all that crosses, and of what it crosses in."""
    frames = (*get_args(FromDesk), *get_args(FromEngine))
    return digest_of((frame.__name__, get_type_hints(frame)) for frame in frames)


PROTOCOL = _protocol()
"""Two programs whose digests differ do not talk."""

_encoder = msgspec.msgpack.Encoder()
_from_desk: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(FromDesk)
_anything: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder()
_from_engine: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(FromEngine)


def pack(frame: FromDesk | FromEngine) -> bytes:
    """With its length before it. Raises `FrameError` for one that is too large, or has a text that is none."""
    try:
        data = _encoder.encode(frame)
    except (OverflowError, UnicodeEncodeError, TypeError) as error:
        raise FrameError(f"{type(frame).__name__} cannot be sent: {error}") from error
    if len(data) > LARGEST:
        raise FrameError(f"{type(frame).__name__} of {len(data)} bytes; a frame has at most {LARGEST}")
    return len(data).to_bytes(LENGTH, "big") + data


def from_desk(data: bytes) -> FromDesk:
    """A frame without its length. Raises `FrameError`."""
    return cast(FromDesk, _read(_from_desk, data))


def first_word(data: bytes) -> FromDesk:
    """The same, where it may be the hello of a release that says more, or less: its beginning is read then.

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
    """A frame without its length. Raises `FrameError`."""
    return cast(FromEngine, _read(_from_engine, data))


def _read(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise FrameError(f"no frame of this protocol: {error}") from error
