"""One run of ssh, from inside: the test is the relay at the other end of its pipes."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest

from console.client.access import LinkBrokenError
from console.client.ssh_stream import SshStream
from core.ports import OperatorError
from core.protocol.frames import HELLO, LARGEST_PIECE, Channel, Kind, Piece, PieceReader, packed


class Relay:
    """What the other end hears and says."""

    def __init__(self) -> None:
        incoming, self.says = os.pipe()
        self.hears, outgoing = os.pipe()
        self.told: list[str] = []
        self.stream = SshStream(io.FileIO(incoming), io.FileIO(outgoing, "w"), "server", self.told.append)
        self.reader = PieceReader()
        self.heard: list[Piece] = []
        self.pool = ThreadPoolExecutor(4)
        self.thread = threading.Thread(target=self.stream.run)
        self.thread.start()

    def say(self, kind: Kind, channel: Channel, data: bytes = b"") -> None:
        os.write(self.says, packed(Piece(kind, channel, data)))

    def hear(self) -> Piece:
        while not self.heard:
            self.heard += self.reader.feed(os.read(self.hears, 65536))
        return self.heard.pop(0)

    def asked(self, channel: Channel) -> Future[socket.socket]:
        return self.pool.submit(self.stream.open, channel)

    def opened(self, channel: Channel) -> socket.socket:
        found = self.asked(channel)
        assert self.hear() == Piece(Kind.OPEN, channel)
        self.say(Kind.OPEN, channel)
        return found.result()

    def cuts(self) -> None:
        for end in (self.says, self.hears):
            with suppress(OSError):  # cut already
                os.close(end)


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    os.write(relay.says, HELLO)
    yield relay
    relay.cuts()
    relay.thread.join()
    relay.pool.shutdown()


def test_data_before_the_answer_is_of_the_old_connection(relay: Relay) -> None:
    """SY-01"""
    first = relay.opened(Channel.PRESS)
    asked = relay.asked(Channel.PRESS)
    assert relay.hear() == Piece(Kind.OPEN, Channel.PRESS)
    relay.say(Kind.DATA, Channel.PRESS, b"old")
    relay.say(Kind.OPEN, Channel.PRESS, b"started one")
    relay.say(Kind.DATA, Channel.PRESS, b"new")
    second = asked.result()
    assert second.recv(10) == b"new"
    assert first.recv(10) == b""
    assert relay.told == ["started one"]


def test_a_refusal_is_passed_on_and_a_close_comes_last(relay: Relay) -> None:
    """SY-01"""
    asked = relay.asked(Channel.DESK)
    relay.hear()
    relay.say(Kind.CLOSE, Channel.DESK, b"no engine")
    with pytest.raises(OperatorError, match="no engine"):
        asked.result()
    desk = relay.opened(Channel.DESK)
    relay.say(Kind.DATA, Channel.DESK, b"last words")
    relay.say(Kind.CLOSE, Channel.DESK, b"gone")
    assert desk.recv(100) == b"last words"
    assert desk.recv(100) == b""


def test_a_desk_that_reads_nothing_blocks_no_key_press(relay: Relay) -> None:
    """OP-07: and a channel is still opened while it does not read."""
    desk, press = relay.opened(Channel.DESK), relay.opened(Channel.PRESS)

    def says() -> None:
        for _ in range(64):
            relay.say(Kind.DATA, Channel.DESK, bytes(LARGEST_PIECE))

    pictures = threading.Thread(target=says)
    pictures.start()
    for _ in range(100):
        press.sendall(b"halt")
        assert relay.hear() == Piece(Kind.DATA, Channel.PRESS, b"halt")

    assert pictures.is_alive(), "it takes in without end"
    desk.close()
    assert relay.hear() == Piece(Kind.CLOSE, Channel.DESK)
    pictures.join()


def test_a_desks_last_message_passes_unread_frames(relay: Relay) -> None:
    """OP-13: a goodbye that is lost keeps the key for a minute."""
    desk = relay.opened(Channel.DESK)
    relay.say(Kind.DATA, Channel.DESK, b"a picture")
    desk.sendall(b"goodbye")
    desk.close()
    relay.say(Kind.DATA, Channel.DESK, b"another picture")
    assert relay.hear() == Piece(Kind.DATA, Channel.DESK, b"goodbye")
    assert relay.hear() == Piece(Kind.CLOSE, Channel.DESK)


def test_a_cut_link_closes_both_ends(relay: Relay) -> None:
    """SY-01"""
    desk = relay.opened(Channel.DESK)
    asked = relay.asked(Channel.PRESS)
    relay.hear()
    relay.cuts()
    assert desk.recv(10) == b""
    with pytest.raises(LinkBrokenError):
        asked.result()
    relay.thread.join()
    with pytest.raises(LinkBrokenError):
        relay.stream.open(Channel.DESK)


def test_leaving_waits_for_no_answer(relay: Relay) -> None:
    """SY-01"""
    desk = relay.opened(Channel.DESK)
    asked = relay.asked(Channel.PRESS)
    relay.hear()
    relay.stream.give_up()
    with pytest.raises(LinkBrokenError):
        asked.result()
    desk.sendall(b"goodbye")
    heard = [relay.hear(), relay.hear()]
    assert Piece(Kind.DATA, Channel.DESK, b"goodbye") in heard
    desk.close()
    relay.thread.join()
