"""A desk elsewhere reaches the engine's connections through one stream, and a press does not wait for pictures."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from console.commands.assembly.relay_bridge import MOST_WAITING, RelayBridge
from core.ports import OperatorError
from core.protocol.frames import HELLO, Channel, Kind, Piece, PieceReader, packed


class Way:
    """A bridge that runs between real sockets; `engine` has the ends that the engine would have."""

    def __init__(self) -> None:
        self.here, there = socket.socketpair()
        self.engine: list[socket.socket] = []
        self.is_there = True
        self.reader = PieceReader()
        self.there = there
        bridge = RelayBridge(there.fileno(), os.dup(there.fileno()), self._connect, lambda: "started")

        def run() -> None:
            with suppress(ConnectionResetError):  # the desk goes with pictures unread
                bridge.run()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        self.here.sendall(HELLO)

    def _connect(self) -> socket.socket:
        if not self.is_there:
            raise OperatorError("no engine")
        ours, engines = socket.socketpair()
        self.engine.append(engines)
        return ours

    def say(self, kind: Kind, channel: Channel, data: bytes = b"") -> None:
        self.here.sendall(packed(Piece(kind, channel, data)))

    def hear(self) -> Piece:
        data = b""
        while True:
            for piece in self.reader.feed(data):
                return piece
            data = self.here.recv(4096)


@pytest.fixture
def way() -> Iterator[Way]:
    way = Way()
    yield way
    way.here.close()
    way.thread.join()


def test_each_channel_is_a_connection(way: Way) -> None:
    way.say(Kind.OPEN, Channel.DESK)
    assert way.hear() == Piece(Kind.OPEN, Channel.DESK, b"started")
    way.say(Kind.DATA, Channel.DESK, b"up")
    assert way.engine[0].recv(10) == b"up"
    way.engine[0].sendall(b"down")
    assert way.hear() == Piece(Kind.DATA, Channel.DESK, b"down")
    way.engine[0].close()
    assert way.hear().kind is Kind.CLOSE


def test_no_engine_is_said_in_words(way: Way) -> None:
    way.is_there = False
    way.say(Kind.OPEN, Channel.DESK)
    assert way.hear() == Piece(Kind.CLOSE, Channel.DESK, b"no engine")


def test_a_key_press_passes_unread_frames(way: Way) -> None:
    for channel in Channel:
        way.say(Kind.OPEN, channel)
        way.hear()
    desk, press = way.engine

    def sends() -> None:
        with suppress(OSError):  # the desk goes with pictures unread
            desk.sendall(bytes(64 * MOST_WAITING))

    pictures = threading.Thread(target=sends)
    pictures.start()
    for _ in range(100):
        way.say(Kind.DATA, Channel.PRESS, b"halt")
        assert press.recv(10) == b"halt"

    assert pictures.is_alive(), "it takes in without end"
    way.here.close()
    way.thread.join()
    desk.shutdown(socket.SHUT_RDWR)
    pictures.join()
