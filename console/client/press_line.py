"""The press line: a connection for halts and kills only, written directly by the pressing thread (OP-07).

A press is pending until the engine acknowledges it. If the line breaks, pending presses are sent first over the next
one: repeating a halt is harmless.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from core.protocol.codec import FrameError
from core.protocol.frames import LARGEST_HELLO, Press, Pressed, PressKind, from_engine, pack
from core.protocol.relay import FrameReader


class PressLine:
    """The press line of one desk. `wake` notifies the thread that reopens the line."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._owed: dict[int, Press] = {}
        self._number = 0
        self._line: socket.socket | None = None
        self._reader = FrameReader(LARGEST_HELLO)

    @property
    def connection(self) -> socket.socket | None:
        return self._line

    @property
    def is_owed(self) -> bool:
        """Whether a press waits for the engine's acknowledgement."""
        return bool(self._owed)

    @property
    def owes_kill(self) -> bool:
        """Whether one of them is a kill."""
        return any(press.kind is PressKind.KILL for press in list(self._owed.values()))

    def press(self, kind: PressKind, token: str = "") -> None:
        """Send a press. Any thread; never waits."""
        with self._lock:
            self._number += 1
            press = self._owed[self._number] = Press(self._number, kind, token)
            self._say(press)
        self._wake()

    def _say(self, press: Press) -> None:
        """Send a press; if not all of it can be sent, drop the line: half a frame cannot be completed."""
        if self._line is None:
            return
        try:
            content = pack(press)
            is_sent = self._line.send(content) == len(content)
        except OSError:
            is_sent = False
        if not is_sent:
            self._drop()

    def open(self, connection: socket.socket, hello: bytes) -> None:
        """Use this connection from now on, and send pending presses first. Raises OSError."""
        connection.sendall(hello)
        connection.setblocking(False)
        with self._lock:
            self._drop()
            self._line, self._reader = connection, FrameReader(LARGEST_HELLO)
            for press in list(self._owed.values()):
                self._say(press)

    def hear(self) -> None:
        """Read acknowledgements; a broken line is dropped, and pending presses wait for the next."""
        with self._lock:
            if self._line is None:
                return
            try:
                content = self._line.recv(LARGEST_HELLO)
                told = [from_engine(frame) for frame in self._reader.feed(content)]
            except (BlockingIOError, InterruptedError):
                return
            except (OSError, FrameError):
                content, told = b"", []
            for each in told:
                if isinstance(each, Pressed):
                    self._owed.pop(each.number, None)
            if not content:
                self._drop()

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None
