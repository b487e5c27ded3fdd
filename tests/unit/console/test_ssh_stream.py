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

from console.client.engine_link import LinkBrokenError
from console.client.ssh_stream import SshStream
from core.ports import OperatorError
from core.protocol.relay import HELLO, LARGEST_PIECE, Channel, Kind, Piece, PieceReader, packed
from tests.kit.waiting import PATIENCE


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
        ours = found.result(PATIENCE)
        ours.settimeout(PATIENCE)
        return ours

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
    relay.thread.join(PATIENCE)
    assert not relay.thread.is_alive()
    relay.pool.shutdown()


def test_what_comes_before_the_answer_is_of_the_connection_before(relay: Relay) -> None:
    """SY-01"""
    first = relay.opened(Channel.PRESS)
    asked = relay.asked(Channel.PRESS)
    assert relay.hear() == Piece(Kind.OPEN, Channel.PRESS)
    relay.say(Kind.DATA, Channel.PRESS, b"old")
    relay.say(Kind.OPEN, Channel.PRESS, b"an engine was started")
    relay.say(Kind.DATA, Channel.PRESS, b"new")
    second = asked.result(PATIENCE)
    assert second.recv(10) == b"new"
    assert first.recv(10) == b""
    assert relay.told == ["an engine was started"]


def test_a_refusal_is_said_in_the_relays_words_and_a_close_comes_behind_what_was_said(relay: Relay) -> None:
    """SY-01"""
    asked = relay.asked(Channel.DESK)
    relay.hear()
    relay.say(Kind.CLOSE, Channel.DESK, b"no engine")
    with pytest.raises(OperatorError, match="no engine"):
        asked.result(PATIENCE)
    desk = relay.opened(Channel.DESK)
    relay.say(Kind.DATA, Channel.DESK, b"last words")
    relay.say(Kind.CLOSE, Channel.DESK, b"gone")
    assert desk.recv(100) == b"last words"
    assert desk.recv(100) == b""


def test_a_desk_that_reads_nothing_stops_the_stream_but_no_press_on_its_way_up(relay: Relay) -> None:
    """OP-07: and a channel is still opened while it does not read."""
    desk, press = relay.opened(Channel.DESK), relay.opened(Channel.PRESS)
    os.set_blocking(relay.says, False)
    picture = packed(Piece(Kind.DATA, Channel.DESK, bytes(LARGEST_PIECE)))
    sent = 0
    with suppress(BlockingIOError):
        while True:
            assert sent < 64 * LARGEST_PIECE, "it takes in without end"
            written = os.write(relay.says, picture[sent % len(picture) :])
            sent += written
            threading.Event().wait(0.002)
    press.sendall(b"halt")
    assert relay.hear() == Piece(Kind.DATA, Channel.PRESS, b"halt")
    desk.close()
    assert relay.hear() == Piece(Kind.CLOSE, Channel.DESK)


def test_what_a_desk_says_last_goes_up_beside_pictures_that_it_did_not_read(relay: Relay) -> None:
    """OP-13: a goodbye that is lost keeps the key for a minute."""
    desk = relay.opened(Channel.DESK)
    relay.say(Kind.DATA, Channel.DESK, b"a picture")
    desk.sendall(b"goodbye")
    desk.close()
    relay.say(Kind.DATA, Channel.DESK, b"another picture")
    assert relay.hear() == Piece(Kind.DATA, Channel.DESK, b"goodbye")
    assert relay.hear() == Piece(Kind.CLOSE, Channel.DESK)


def test_a_cut_closes_both_ends_and_nobody_waits_for_an_answer(relay: Relay) -> None:
    """SY-01"""
    desk = relay.opened(Channel.DESK)
    asked = relay.asked(Channel.PRESS)
    relay.hear()
    relay.cuts()
    assert desk.recv(10) == b""
    with pytest.raises(LinkBrokenError):
        asked.result(PATIENCE)
    relay.thread.join(PATIENCE)
    with pytest.raises(LinkBrokenError):
        relay.stream.open(Channel.DESK)


def test_who_leaves_waits_for_no_answer_and_what_is_open_goes_on(relay: Relay) -> None:
    """SY-01"""
    desk = relay.opened(Channel.DESK)
    asked = relay.asked(Channel.PRESS)
    relay.hear()
    relay.stream.give_up()
    with pytest.raises(LinkBrokenError):
        asked.result(PATIENCE)
    desk.sendall(b"goodbye")
    heard = [relay.hear(), relay.hear()]
    assert Piece(Kind.DATA, Channel.DESK, b"goodbye") in heard
    desk.close()
    relay.thread.join(PATIENCE)
    assert not relay.thread.is_alive()
