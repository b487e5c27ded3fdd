"""Several connections over one stream: the protocol between `keyturn relay` and a desk on another machine.

Both ends begin with a line that gives the relay's version; after it come pieces, each of one channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from core.protocol.codec import FrameError

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
