"""One run of ssh: the channels of its stream, bridged to local sockets that `RemoteEngine` uses as engine connections.

The other end is `console/commands/assembly/relay_bridge.py`. All data is moved in the thread that calls `run`.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from typing import IO

from console.client.access import LinkBrokenError
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.protocol.codec import FrameError
from core.protocol.frames import HELLO, LARGEST_PIECE, Channel, Kind, Piece, PieceReader, packed

READ = 65_536
MOST_WAITING = 262_144
"""The maximum of buffered bytes for a slow desk; above it ssh is not read."""
GREETING_TIMEOUT = 20.0
"""Time-out for the relay's greeting in seconds, without password prompts."""
ANSWER_TIMEOUT = 60.0
"""Time-out for opening a channel in seconds: the engine may have to be started first."""
LINE_TIMEOUT = 2.0
"""Time-out of a local socket in seconds."""
FIRST_WORDS = 80
"""The maximum length of other output shown in place of a greeting."""


@dataclass(eq=False)
class _Line:
    """The inner end of a channel's local socket."""

    channel: Channel
    socket: socket.socket
    waiting: bytearray = field(default_factory=bytearray)
    answered: threading.Event = field(default_factory=threading.Event)
    refusal: OperatorError | None = None
    is_ending: bool = False
    """The relay has closed it; buffered data is still delivered."""
    is_deaf: bool = False
    """The desk has closed its end; its earlier data is still sent."""

    def refuse(self, why: OperatorError) -> None:
        if not self.answered.is_set():
            self.refusal = why
            self.answered.set()


class SshStream:
    """Runs from the start of a process to the end of its stream; closes both pipes at its end.

    Parameters
    ----------
    incoming, outgoing
        Its output and its input; unbuffered.
    tell
        Called with the message of an open channel; never waits.
    """

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes], destination: str, tell: Callable[[str], None]) -> None:
        self._destination, self._tell = destination, tell
        self._pipes = (incoming, outgoing)
        self._incoming, self._outgoing = incoming.fileno(), outgoing.fileno()
        self.greeted = threading.Event()
        self.trouble = ""
        """Why it ended, if not by ssh itself."""
        self._reader = PieceReader()
        self._first = b""
        self._out = bytearray(HELLO)
        self._lines: dict[Channel, _Line] = {}
        self._asked: deque[_Line] = deque()
        self._lock = threading.Lock()
        self._is_over = self._is_closing = False
        self._wakes, self._wake = os.pipe()
        for end in (self._wakes, self._wake, self._incoming, self._outgoing):
            os.set_blocking(end, False)

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def open(self, channel: Channel) -> socket.socket:
        """Return a connection to the engine; an earlier one of that channel is closed.

        Raises OperatorError: the relay refused it; the message is the relay's.
        Raises LinkBrokenError: the link broke, or there was no answer.
        """
        ours, inner = socket.socketpair()
        inner.setblocking(False)
        line = _Line(channel, inner)
        with self._lock:
            if self._is_over or self._is_closing:
                ours.close()
                inner.close()
                raise self._broken()
            self._asked.append(line)
            self._wake_up()
        if not line.answered.wait(ANSWER_TIMEOUT):
            line.refuse(LinkBrokenError(f"{self._destination} has not answered for {ANSWER_TIMEOUT:g} s"))
        if line.refusal is not None:
            ours.close()
            raise line.refusal
        ours.settimeout(LINE_TIMEOUT)
        return ours

    def give_up(self) -> None:
        """End all waiting for answers. Open channels continue."""
        with self._lock:
            self._is_closing = True
            for line in (*self._asked, *self._lines.values()):
                line.refuse(self._broken())
            self._wake_up()

    def _broken(self) -> LinkBrokenError:
        return LinkBrokenError(f"the link to {self._destination} is closed")

    def _wake_up(self) -> None:
        with suppress(OSError):
            os.write(self._wake, b"\0")

    # ── the thread of `run` ──────────────────────────────────────────────────────────────────────────────────────

    def run(self, timeout: float | None = GREETING_TIMEOUT) -> None:
        """Run until ssh ends, or sends invalid data.

        `timeout` is the time-out of the greeting; None while a person types.
        """
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while self._turn(until):
                pass
        except FrameError as error:
            first = self._first.decode(errors="replace").strip()[:FIRST_WORDS]
            self.trouble = str(error) if self.greeted.is_set() else f"{error} It said: {first}"
        except OSError:
            pass  # the process has ended: its own message gives the reason
        finally:
            with self._lock:
                self._is_over = True
                for line in (*self._asked, *self._lines.values()):
                    line.refuse(self._broken())
                    line.socket.close()
                self._asked.clear()
                self._lines.clear()
                for end in (self._wakes, self._wake):
                    os.close(end)
                self._wake = -1
            for pipe in self._pipes:
                with suppress(OSError):
                    pipe.close()

    def _turn(self, until: float | None) -> bool:
        """Wait for one event and handle it; return whether the stream continues."""
        self._admit()
        if self._is_closing and not self._out and not self._lines:
            return False
        with selectors.PollSelector() as selector:
            selector.register(self._wakes, selectors.EVENT_READ)
            # Whether to read ssh: always while an answer is pending, otherwise while the desk keeps up.
            lines = self._lines.values()
            is_asked = any(not line.answered.is_set() for line in lines)
            if is_asked or all(len(line.waiting) < MOST_WAITING for line in lines):
                selector.register(self._incoming, selectors.EVENT_READ)
            if self._out:
                selector.register(self._outgoing, selectors.EVENT_WRITE)
            for line in self._lines.values():
                may_say = line.answered.is_set() and not self._out
                events = (selectors.EVENT_READ if may_say else 0) | (selectors.EVENT_WRITE if line.waiting else 0)
                if events:
                    selector.register(line.socket, events, line)
            waits = None if until is None or self.greeted.is_set() else max(0.0, until - time.monotonic())
            ready = selector.select(waits)
        if not ready and waits is not None:
            self.trouble = f"{self._destination} says nothing: no `keyturn relay` has greeted from there"
            return False
        goes_on = True
        for key, events in sorted(ready, key=_presses_first):
            if isinstance(key.data, _Line):
                self._serve(key.data, events)
            elif key.fd == self._wakes:
                os.read(self._wakes, 4096)
            elif key.fd == self._incoming:
                goes_on = self._take()
            else:
                del self._out[: os.write(self._outgoing, self._out[:LARGEST_PIECE])]
        return goes_on

    def _admit(self) -> None:
        """Open the requested channels; each replaces its predecessor."""
        if not self.greeted.is_set():
            return
        while self._asked:
            line = self._asked.popleft()
            self._drop(line.channel)
            if line.refusal is not None:
                line.socket.close()
                continue
            self._lines[line.channel] = line
            self._out += packed(Piece(Kind.OPEN, line.channel))

    def _take(self) -> bool:
        data = os.read(self._incoming, READ)
        if not self.greeted.is_set():
            self._first = (self._first + data)[:READ]
        for piece in self._reader.feed(data):
            self._hear(piece)
        if self._reader.is_greeted:
            self.greeted.set()
        return bool(data)

    def _hear(self, piece: Piece) -> None:
        """Handle a piece.

        Data before the answer to an OPEN belongs to the channel's last connection, and is dropped.
        """
        line = self._lines.get(piece.channel)
        if line is None:
            return
        if piece.kind is Kind.OPEN:
            if piece.data and not line.answered.is_set():
                self._tell(piece.data.decode(errors="replace"))
            line.answered.set()
        elif piece.kind is Kind.CLOSE:
            line.refuse(OperatorError(piece.data.decode(errors="replace")))
            line.is_ending = True
            self._hand_on(line)
        elif line.answered.is_set():
            line.waiting += b"" if line.is_deaf else piece.data
            self._hand_on(line)

    def _serve(self, line: _Line, events: int) -> None:
        if self._lines.get(line.channel) is not line:
            return
        if events & selectors.EVENT_WRITE:
            self._hand_on(line)
        if not events & selectors.EVENT_READ or self._out or self._lines.get(line.channel) is not line:
            return
        try:
            data = line.socket.recv(LARGEST_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._out += packed(Piece(Kind.DATA, line.channel, data))
        else:
            self._leave(line)

    def _hand_on(self, line: _Line) -> None:
        try:
            while line.waiting:
                del line.waiting[: line.socket.send(line.waiting)]
        except BlockingIOError:
            return
        except OSError:
            line.is_deaf = True
            line.waiting.clear()
        if line.is_ending:
            self._drop(line.channel)

    def _leave(self, line: _Line) -> None:
        if not line.is_ending:
            self._out += packed(Piece(Kind.CLOSE, line.channel))
        self._drop(line.channel)

    def _drop(self, channel: Channel) -> None:
        line = self._lines.pop(channel, None)
        if line is not None:
            line.refuse(self._broken())
            line.socket.close()


def _presses_first(ready: tuple[selectors.SelectorKey, int]) -> bool:
    key = ready[0]
    return not (isinstance(key.data, _Line) and key.data.channel is Channel.PRESS)
