"""One desk's connection: parses its requests and sends views. Served in one thread; never waits.

At most one view is buffered for a desk: the next is prepared only when the last one has been sent.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from msgspec import Raw

from core.model.desk import NO_NUMBER
from core.model.values import Symbol
from core.protocol.changes import changes, encode_changes
from core.protocol.codec import encode
from core.protocol.frames import LARGEST, Changed, FromDesk, FromEngine, Picture, Preparing, Pulse, from_desk, pack
from core.protocol.stream import FrameReader
from core.runtime.service.picture_feed import Drawn
from core.views import DeskView

TURN = 65_536
"""Bytes read from one desk before the others get their turn."""
COMMANDS_A_SECOND = 200
"""A desk that sends more is disconnected."""
MOST_UNREAD = 1_000
"""Unread answers up to which a desk stays connected; it is sent no view meanwhile."""
PULSE = 0.4
"""Seconds without other messages after which a desk gets a pulse."""
SILENT = 15.0
"""Seconds without a message after which a desk counts as gone; a desk sends one every few seconds."""


class FloodError(Exception):
    """The desk sent too many messages."""


class DeskConnection:
    """`link` names the connection until the engine has counted it; `reader` has the bytes received after its hello."""

    def __init__(self, connection: socket.socket, link: str, reader: FrameReader, now: float) -> None:
        self.connection = connection
        self.link = link
        self.number = NO_NUMBER
        self.watched: Symbol | None = None
        self.attends = False
        self.heard_at = self._said_at = now
        self._reader = reader
        self._reader.largest = LARGEST
        self._is_new = True
        self._out = bytearray()
        self._shown: DeskView | None = None
        self._drawn: Drawn | None = None
        self._picture = 0
        self._said: deque[float] = deque(maxlen=COMMANDS_A_SECOND)
        self._unread = 0

    def fileno(self) -> int:
        return self.connection.fileno()

    @property
    def has_room(self) -> bool:
        """Whether all earlier messages have been sent."""
        return not self._out

    @property
    def has_picture(self) -> bool:
        """Whether it was shown one, taken or on its way."""
        return self._shown is not None

    def is_silent(self, now: float) -> bool:
        return now - self.heard_at > SILENT

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, now: float) -> Iterator[FromDesk]:
        """Yield the desk's requests, up to one turn of bytes.

        Raises
        ------
        FrameError, FloodError
            The desk is no longer served.
        ConnectionError
            The connection is closed.
        """
        try:
            content = b"" if self._is_new else self.connection.recv(TURN)
        except (BlockingIOError, InterruptedError):
            return
        if not (content or self._is_new):
            raise ConnectionResetError("it hung up")
        self._is_new = False
        self.heard_at = now
        for frame in self._reader.feed(content):
            self._count(now)
            yield from_desk(frame)

    def _count(self, now: float) -> None:
        if len(self._said) == COMMANDS_A_SECOND and now - self._said[0] < 1.0:
            raise FloodError(f"more than {COMMANDS_A_SECOND} frames in a second")
        self._unread = 0 if self.has_room else self._unread + 1
        if self._unread > MOST_UNREAD:
            raise FloodError(f"{MOST_UNREAD} answers were not taken")
        self._said.append(now)

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, frame: FromEngine) -> None:
        self._out += pack(frame)

    def show(self, drawn: Drawn) -> None:
        """Send the newest view if there is room and the desk does not have it yet."""
        if not self.has_room or drawn is self._drawn:
            return
        self._drawn = drawn
        if drawn.view is None:
            self.say(Preparing(drawn.preparing or ""))
            return
        view = replace(drawn.view, chart=drawn.charts.get(self.watched)) if self.watched else drawn.view
        self._picture += 1
        if self._shown is None:
            self.say(Picture(self._picture, drawn.clock, drawn.rate, drawn.presses, Raw(encode(view))))
        elif found := changes(self._shown, view):
            since, news = self._picture - 1, Raw(encode_changes(found))
            self.say(Changed(self._picture, since, drawn.clock, drawn.rate, drawn.presses, news))
        else:
            self._picture -= 1
            self.say(Pulse(drawn.clock, drawn.rate, drawn.presses))
        self._shown = view

    def send(self, now: float) -> None:
        """Send without blocking, and a pulse after silence. Raises OSError if the connection is closed."""
        if self.has_room and now - self._said_at > PULSE:
            self.say(Pulse())
        with suppress(BlockingIOError, InterruptedError):
            while self._out:
                sent = self.connection.send(self._out)
                del self._out[:sent]
                self._said_at = now

    def close(self) -> None:
        """Try once to send the remaining messages, and close."""
        with suppress(OSError):
            self.send(self._said_at)
        with suppress(OSError):
            self.connection.close()
