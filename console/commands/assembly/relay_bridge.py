"""The server side of a remote desk: one stream, with an engine connection for each of its channels."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable

from core.ports import OperatorError
from core.protocol.frames import HELLO, Channel, Kind, Piece, PieceReader, packed, pieces_of

READ = 65_536
MOST_WAITING = 262_144
"""The maximum of buffered bytes: above it no more is read from the engine, and a full channel is closed."""
GONE = "the engine closed the connection"
SLOW = "the engine takes nothing in; the connection is closed"


class RelayBridge:
    """Bridges the stream and the engine without waiting for either.

    Presses are forwarded while views wait for the stream.

    Parameters
    ----------
    connect
        Returns an engine connection for a new channel. Raises `OperatorError`.
    words
        Returns a message for the desk at the opening of a channel; empty for none.
    """

    def __init__(
        self, incoming: int, outgoing: int, connect: Callable[[], socket.socket], words: Callable[[], str]
    ) -> None:
        self._incoming, self._outgoing, self._connect, self._words = incoming, outgoing, connect, words
        self._reader = PieceReader()
        self._down = bytearray(HELLO)
        self._up: dict[Channel, bytearray] = {}
        self._lines: dict[Channel, socket.socket] = {}

    def run(self) -> None:
        """Run until the incoming stream ends. Raises `FrameError` for invalid data, OSError for a broken connection."""
        os.set_blocking(self._incoming, False)
        os.set_blocking(self._outgoing, False)
        try:
            while self._turn():
                pass
        finally:
            for line in self._lines.values():
                line.close()

    def _turn(self) -> bool:
        """Wait for one event and handle it; return whether the stream continues."""
        with selectors.PollSelector() as selector:
            selector.register(self._incoming, selectors.EVENT_READ)
            if self._down:
                selector.register(self._outgoing, selectors.EVENT_WRITE)
            for channel, line in self._lines.items():
                events = selectors.EVENT_WRITE if self._up[channel] else 0
                events |= selectors.EVENT_READ if len(self._down) < MOST_WAITING else 0
                if events:
                    selector.register(line, events, channel)
            ready = selector.select()
        goes_on = True
        for key, events in ready:
            if key.fd == self._incoming:
                goes_on = self._take()
            elif key.fd == self._outgoing:
                del self._down[: os.write(self._outgoing, self._down)]
            elif key.data in self._lines:
                self._serve(key.data, events)
        return goes_on

    def _take(self) -> bool:
        data = os.read(self._incoming, READ)
        for piece in self._reader.feed(data):
            if piece.kind is Kind.OPEN:
                self._open(piece.channel)
            elif piece.kind is Kind.CLOSE:
                self._drop(piece.channel)
            elif piece.channel in self._lines:
                self._up[piece.channel] += piece.data
                self._serve(piece.channel, selectors.EVENT_WRITE)
        return bool(data)

    def _open(self, channel: Channel) -> None:
        self._drop(channel)
        try:
            line = self._connect()
        except OperatorError as error:
            self._say(Kind.CLOSE, channel, str(error))
            return
        line.setblocking(False)
        self._lines[channel], self._up[channel] = line, bytearray()
        self._say(Kind.OPEN, channel, self._words())

    def _serve(self, channel: Channel, events: int) -> None:
        line, waiting = self._lines[channel], self._up[channel]
        try:
            if events & selectors.EVENT_WRITE and waiting:
                del waiting[: line.send(waiting)]
            data = line.recv(READ) if events & selectors.EVENT_READ else None
        except BlockingIOError:
            data = None
        except OSError:
            data = b""
        if data:
            self._down += b"".join(pieces_of(channel, data))
        elif data is not None or len(waiting) > MOST_WAITING:
            self._drop(channel)
            self._say(Kind.CLOSE, channel, SLOW if data is None else GONE)

    def _drop(self, channel: Channel) -> None:
        line = self._lines.pop(channel, None)
        if line is not None:
            line.close()

    def _say(self, kind: Kind, channel: Channel, words: str) -> None:
        self._down += packed(Piece(kind, channel, words.encode()))
