"""The conversation of a desk with a remote engine, and the line for halts and kills beside it (OP-07).

A press is pending until the engine acknowledges it. If the line breaks, pending presses are sent first over the next
one: repeating a halt is harmless.

The desk's connection is read and written here. The press line is a separate connection (`conversation.py`).
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from msgspec import Raw

from console.client.access import WAITING, EngineReports, LinkBrokenError, Owed
from core.messages.command_ports import addressed
from core.messages.commands import Command
from core.model.desk import DeskNumber, Seat
from core.model.reference_data import AssetsFound, ListedAsset
from core.model.values import AccountId, Symbol
from core.ports import OperatorError
from core.protocol import frames
from core.protocol.changes import apply_changes
from core.protocol.codec import FrameError, decode_view, encode
from core.views import DeskView


class PressLine:
    """The press line of one desk. `wake` notifies the thread that reopens the line."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._owed: dict[int, frames.Press] = {}
        self._number = 0
        self._line: socket.socket | None = None
        self._reader = frames.FrameReader(frames.LARGEST_HELLO)

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
        return any(press.kind is frames.PressKind.KILL for press in list(self._owed.values()))

    def press(self, kind: frames.PressKind, token: str = "") -> None:
        """Send a press. Any thread; never waits."""
        with self._lock:
            self._number += 1
            press = self._owed[self._number] = frames.Press(self._number, kind, token)
            self._say(press)
        self._wake()

    def _say(self, press: frames.Press) -> None:
        """Send a press; if not all of it can be sent, drop the line: half a frame cannot be completed."""
        if self._line is None:
            return
        try:
            content = frames.pack(press)
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
            self._line, self._reader = connection, frames.FrameReader(frames.LARGEST_HELLO)
            for press in list(self._owed.values()):
                self._say(press)

    def hear(self) -> None:
        """Read acknowledgements; a broken line is dropped, and pending presses wait for the next."""
        with self._lock:
            if self._line is None:
                return
            try:
                content = self._line.recv(frames.LARGEST_HELLO)
                told = [frames.from_engine(frame) for frame in self._reader.feed(content)]
            except (BlockingIOError, InterruptedError):
                return
            except (OSError, FrameError):
                content, told = b"", []
            for each in told:
                if isinstance(each, frames.Pressed):
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


Connect = Callable[[frames.Role], socket.socket]
"""Returns a connection to the engine for a role. Raises `OperatorError` if there is none."""

RETRY = 0.2
"""Seconds between two attempts to reach the engine."""
WORD = 3.0
"""Seconds between two signs of life of this desk."""
FAREWELL, LOOK = 1.0, 0.05
"""Seconds to send the goodbye, and between two checks whether it is sent."""
HEARD_WITHIN = 3.0
"""Seconds for the engine to receive a pending press after the desk is left."""
NEXT_LINE = 1.0
"""Seconds between two attempts to open a press line, without a pending press."""
AT_ONCE = 1 << 18
"""Bytes."""
STOPPED = "the engine has stopped; this desk waits for another, `keyturn engine start` starts one"
LOST = "the link to the engine is lost; it is tried again"


class RefusedError(Exception):
    """The engine refuses this desk; the message gives the reason."""


class Conversation:
    """The conversation of one desk, reported to `desk`. Methods for other threads never wait."""

    def __init__(
        self, desk: EngineReports, connect: Connect, seat: Seat, release: str, now: Callable[[], float]
    ) -> None:
        self.watched: Symbol | None = None
        self.attends = False
        self._desk, self._connect, self._seat, self._release, self._now = desk, connect, seat, release, now
        self._token = ""
        self._waits = WAITING
        self._number = 0
        self._asked: set[int] = set()
        self._queue: deque[bytes] = deque()
        self._is_leaving = self._says_goodbye = False
        self._line = PressLine(self._wake_up)
        self._next_line = 0.0
        self._wakes, self._wake = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._wake, False)

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def say(self, command: Command, account: AccountId) -> None:
        self._number += 1
        self._asked.add(self._number)
        self._put(frames.Say(self._number, Raw(encode(addressed(command, account))), self._desk.presses))

    def press(self, *, kills: bool) -> None:
        self._line.press(frames.PressKind.KILL if kills else frames.PressKind.HALT, self._token)

    @property
    def owes_press(self) -> Owed | None:
        if not self._line.is_owed:
            return None
        return "kill" if self._line.owes_kill else "halt"

    def attend(self, attended: bool) -> None:
        self.attends = attended
        self._put(frames.Attend(attended))

    def watch(self, symbol: Symbol | None) -> None:
        self.watched = symbol
        self._put(frames.Watch(symbol))

    def search(self, text: str) -> None:
        self._put(frames.Search(text))

    def leave(self, *, says_goodbye: bool) -> None:
        self._says_goodbye = says_goodbye
        self._is_leaving = True
        self._wake_up()

    def _put(self, frame: frames.FromDesk) -> None:
        self._queue.append(frames.pack(frame))
        self._wake_up()

    def _wake_up(self) -> None:
        with suppress(BlockingIOError, OSError):
            os.write(self._wake, b"\0")

    # ── the link's thread ────────────────────────────────────────────────────────────────────────────────────────

    def go_on(self) -> None:
        """Run until the desk is left and no press is pending, or the engine refuses it."""
        try:
            while not self._is_leaving:
                try:
                    self._attach()
                except LinkBrokenError as error:
                    self._desk.lose(str(error))
                except OperatorError as error:
                    self._desk.lose(self._waits if self._desk.has_seen_it else str(error))
                except FrameError as error:
                    self._desk.lose(f"the engine said what cannot be read: {error}")
                except OSError:
                    if not self._is_leaving:
                        self._desk.lose(LOST)
                self._pause()
            # Send the pending presses over a separate line, if the engine answers in time (OP-07).
            until = self._now() + HEARD_WITHIN
            while self._line.is_owed and self._now() < until:
                with suppress(OperatorError, OSError):
                    if self._line.connection is None:
                        self._open_line()
                self._rest()
                self._line.hear()
        except RefusedError as error:
            self._desk.lose(str(error))
            self._desk.fail(str(error))
        finally:
            self._line.close()
            for end in (self._wakes, self._wake):
                os.close(end)

    def _pause(self) -> None:
        if not self._is_leaving:
            self._rest()

    def _rest(self) -> None:
        """Wait for a wake-up, or for a while."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._wakes, selectors.EVENT_READ)
            waiting.select(RETRY)
        self._drain()

    def _hello(self, role: frames.Role) -> bytes:
        seat = self._seat
        return frames.pack(
            frames.Hello(frames.PROTOCOL, self._release, role, seat.terminal, seat.user, seat.address, self._token)
        )

    def _attach(self) -> None:
        """Run one connection, from its hello to its end."""
        self._open_line()
        if self._is_leaving:
            return
        connection = self._connect(frames.Role.DESK)
        try:
            connection.setblocking(False)
            self._serve(
                connection,
                self._hello(frames.Role.DESK)
                + frames.pack(frames.Watch(self.watched))
                + frames.pack(frames.Attend(self.attends)),
            )
        finally:
            self._desk.account = None
            connection.close()
            self._queue.clear()
            # Report requests without an answer before the link broke: it is unknown whether they arrived.
            if self._asked and not self._is_leaving:
                what = "what was asked last" if len(self._asked) == 1 else f"the last {len(self._asked)} things asked"
                self._desk.unsaid.append(f"the link broke: {what} may not have arrived; look before you ask again")
            self._asked.clear()

    def _open_line(self) -> None:
        self._next_line = self._now() + NEXT_LINE
        self._line.open(self._connect(frames.Role.PRESS), self._hello(frames.Role.PRESS))

    def _serve(self, connection: socket.socket, first: bytes) -> None:
        reader, out = frames.FrameReader(frames.LARGEST), bytearray(first)
        said_at, until = self._now(), 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakes, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            line: socket.socket | None = None
            while True:
                while self._queue:
                    out += self._queue.popleft()
                if self._is_leaving and not until:
                    out += frames.pack(frames.Detach()) if self._says_goodbye else b""
                    until = self._now() + FAREWELL
                if self._now() - said_at > WORD:
                    out += frames.pack(frames.Seen(0))
                if out:
                    said_at = self._now()
                    with suppress(BlockingIOError):
                        del out[: connection.send(out)]
                if until and (self._now() > until or not (out or self._says_goodbye)):
                    return  # wait for the engine to hang up: closing with unread views would lose the goodbye
                # Reopen the press line if needed, and select its socket.
                if self._line.connection is None and (self._line.is_owed or self._now() >= self._next_line):
                    self._open_line()
                if self._line.connection is not line:
                    if line is not None:
                        selector.unregister(line)
                    if self._line.connection is not None:
                        selector.register(self._line.connection, selectors.EVENT_READ)
                line = self._line.connection
                selector.modify(connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if out else 0))
                selector.select(LOOK if until else WORD / 2)
                self._drain()
                self._line.hear()
                self._hear(connection, reader)

    def _hear(self, connection: socket.socket, reader: frames.FrameReader) -> None:
        with suppress(BlockingIOError):
            content = connection.recv(AT_ONCE)
            if not content:
                raise ConnectionResetError("the engine hung up")
            self._desk.link.hear()
            for frame in reader.feed(content):
                self._take(frames.from_engine(frame))

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wakes, 4096)

    # ── messages of the engine ───────────────────────────────────────────────────────────────────────────────────

    def _take(self, told: frames.FromEngine) -> None:
        desk = self._desk
        if isinstance(told, frames.Snapshot | frames.Changed | frames.Pulse) and told.clock is not None:
            desk.presses = told.presses
            desk.set_clock(told.clock, told.rate)
        if isinstance(told, frames.Snapshot):
            view = decode_view(told.value)
            if not isinstance(view, DeskView):
                raise FrameError(f"{type(view).__name__} is no picture")
            desk.show(view)
        elif isinstance(told, frames.Changed):
            if not isinstance(desk.view, DeskView):
                raise FrameError("changes came before a picture")
            desk.show(apply_changes(desk.view, told.changes, DeskView))
        elif isinstance(told, frames.Preparing):
            desk.prepare(told.words)
        elif isinstance(told, frames.Welcome):
            self._waits, self._token = WAITING, told.token
            desk.welcome(DeskNumber(told.desk), AccountId(told.account), told.keys)
        elif isinstance(told, frames.Refused):
            raise RefusedError(told.words)
        elif isinstance(told, frames.Ended):
            desk.last_words = told.words
            self._waits = STOPPED
        elif isinstance(told, frames.Found):
            matches = (ListedAsset(Symbol(match[0]), *match[1:]) for match in told.matches)
            desk.found = AssetsFound(told.asked, told.is_listed, tuple(matches))
        elif isinstance(told, frames.Answered):
            self._asked.discard(told.number)
            if told.refusal:
                desk.unsaid.append(told.refusal)
