"""Several connections over one stream: what `keyturn relay` and the desk at the other machine say to each other.

Both ends begin with one line that says which relay they are; after it come pieces, each of one channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from core.protocol.errors import FrameError

RELAY = 1
"""Which way of putting channels on one stream this is."""
GREETING = b"keyturn relay "
HELLO = GREETING + b"%d\n" % RELAY
LARGEST_LINE = 64
LARGEST_PIECE = 65_536
"""Bytes in one piece: what a press waits for behind a picture is at most one of them."""
HEAD = 6
"""Bytes before what a piece carries: its kind, its channel, and its length in four."""


class Kind(IntEnum):
    OPEN = 1
    """Asked for by the desk; answered by the relay once the channel is connected, with words for the desk or none."""
    DATA = 2
    CLOSE = 3
    """No more of this channel from either end; the words say why."""


class Channel(IntEnum):
    DESK = 1
    PRESS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    channel: Channel
    data: bytes = b""


def packed(piece: Piece) -> bytes:
    """Raises `FrameError` for a piece that the other end would refuse."""
    if len(piece.data) > LARGEST_PIECE:
        raise FrameError(f"a piece of {len(piece.data)} bytes; here one has at most {LARGEST_PIECE}")
    return bytes((piece.kind, piece.channel)) + len(piece.data).to_bytes(4, "big") + piece.data


def pieces_of(channel: Channel, data: bytes) -> Iterator[bytes]:
    """What a connection said, packed into as many pieces as it needs."""
    for start in range(0, len(data), LARGEST_PIECE):
        yield packed(Piece(Kind.DATA, channel, data[start : start + LARGEST_PIECE]))


class PieceReader:
    """Takes the stream of the other end apart; after a `FrameError` it takes nothing in."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._is_greeted = self._is_refused = False

    @property
    def is_greeted(self) -> bool:
        """Whether the other end has said that it is a relay of this kind."""
        return self._is_greeted

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are whole now. Raises `FrameError`."""
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
        """Whether the first line is here, and is ours."""
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
