"""An engine with its desks, and its listener: connections and desks have their own threads (SY-01)."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace

from core.messages.command_ports import CommandPort, PortKind
from core.model.desk import Seat
from core.model.instrument import symbol_in
from core.model.lazy_dataclass import dataclass
from core.protocol import frames
from core.protocol.codec import FrameError
from core.protocol.frames import PROTOCOL, Hello, Press, PressKind, RefusalCode, Refused, Role
from core.runtime.runtime import Runtime
from core.runtime.service.basket_checks import BasketChecks
from core.runtime.service.desk_connection import DeskConnection, SnapshotFeed
from core.runtime.service.desk_connections import FULL, MOST, Arrival, Arrivals, DeskServer, EngineBooks
from core.runtime.service.peers import Peer, peer_of

# ── the listener ─────────────────────────────────────────────────────────────────────────────────────────────────────
# New connections and the press lines, each identified by the kernel, in a thread of its own (OP-13).
#
# New connections and the press lines: its own thread, so that a halt is always received (SY-01). It accepts
# connections, identifies the process at the other end through the kernel, and reads its hello. A desk is handed to the
# desks' thread. A press line stays here: each message on it is a halt or a kill, and latches the gateway in this
# thread, before anything is queued.

TIMEOUT = 5.0
"""Seconds within which a hello must be complete."""
STRANGERS = 64
"""The maximum of connections without a hello; the oldest is closed."""
LINES = 32
"""The maximum of press lines; the oldest is closed, and its desk opens another."""
TICK = 0.5
RETRY = 0.1
"""Seconds without accepting connections after the process has run out of descriptors."""
A_BREATH = 0.02
"""Seconds between two presses of one line that count; a flood affects nothing but the latch."""


@dataclass(slots=True)
class Caller:
    """A connection of which only the process is known, or a press line."""

    connection: socket.socket
    peer: Peer
    since: float
    reader: frames.FrameReader = field(default_factory=lambda: frames.FrameReader(frames.LARGEST_HELLO))
    is_line: bool = False
    pressed: dict[str, float] = field(default_factory=dict)

    def say(self, frame: bytes) -> None:
        """Send as much as possible without waiting."""
        with suppress(OSError):
            self.connection.send(frame)


Welcoming = Callable[[Caller, frames.Hello], frames.Refused | None]
"""Takes over a desk's connection with the bytes received after its hello, or returns a refusal."""


class DeskListener:
    """Serve the listener from `thread.start()` until `close`.

    Parameters
    ----------
    press
        Sets the latch for a halt or a kill, in the calling thread.
    welcome
        Takes over a connection that said hello as a desk.
    """

    def __init__(
        self,
        listener: socket.socket,
        peer_of: Callable[[socket.socket], Peer],
        press: Callable[[frames.Press], None],
        welcome: Welcoming,
        refusal: Callable[[frames.Hello], frames.Refused | None],
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener = listener
        self._peer_of = peer_of
        self._press = press
        self._welcome = welcome
        self._refusal = refusal
        self._say = say
        self._now = now
        self._is_over = False
        self._shut_until = 0.0
        listener.setblocking(False)
        self._wakes, self._wake = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._selector.register(listener, selectors.EVENT_READ)
        self._callers: dict[int, Caller] = {}
        self.thread = threading.Thread(target=self._serve, name="listener", daemon=True)

    def close(self) -> None:
        self._is_over = True
        with suppress(OSError):
            os.write(self._wake, b"\0")
        self.thread.join(1.0)

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        while not self._is_over:
            try:
                self._turn()
            except Exception as error:  # the thread's boundary: the next press is still received
                self._say(f"accepting desks failed ({type(error).__name__}: {error}); it goes on")
                time.sleep(A_BREATH)
        for caller in list(self._callers.values()):
            self._let_go(caller)
        self._selector.close()

    def _turn(self) -> None:
        for key, _events in self._selector.select(TICK):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.data, Caller):
                self._hear(key.data)
        now = self._now()
        for caller in list(self._callers.values()):
            if not caller.is_line and now - caller.since > TIMEOUT:
                self._let_go(caller)
        if self._shut_until and now >= self._shut_until:
            self._shut_until = 0.0
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # no descriptor is left: existing connections stay, and accepting resumes later
            self._selector.unregister(self._listener)
            self._shut_until = self._now() + RETRY
            return
        connection.setblocking(False)
        try:
            peer = self._peer_of(connection)
        except OSError:
            connection.close()
            return
        if not peer.is_ours:
            connection.close()
            return
        self._make_room(STRANGERS, is_line=False)
        caller = Caller(connection, peer, self._now())
        self._callers[connection.fileno()] = caller
        self._selector.register(connection, selectors.EVENT_READ, caller)

    def _make_room(self, most: int, *, is_line: bool) -> None:
        same = [caller for caller in self._callers.values() if caller.is_line is is_line]
        if len(same) >= most:
            oldest = min(same, key=lambda caller: caller.since)
            self._hear(oldest)  # its earlier messages still count, above all a press
            if self._callers.get(oldest.connection.fileno()) is oldest and oldest.is_line is is_line:
                self._let_go(oldest)

    def _hear(self, caller: Caller) -> None:
        try:
            content = caller.connection.recv(frames.LARGEST_HELLO)
            if not content:
                raise ConnectionResetError("it hung up")
            for frame in caller.reader.feed(content):
                request = frames.from_desk(frame) if caller.is_line else frames.first_word(frame)
                if caller.is_line:
                    if not isinstance(request, frames.Press):
                        raise FrameError("this line is for presses")
                    kind, now = request.kind, self._now()
                    if now - caller.pressed.get(kind, -A_BREATH) >= A_BREATH:
                        caller.pressed[kind] = now
                        self._press(request)
                    caller.say(frames.pack(frames.Pressed(request.number)))
                elif isinstance(request, frames.Hello):
                    self._hear_hello(caller, request)
                    if not caller.is_line:
                        return
                else:
                    raise FrameError("the first word is hello")
        except (BlockingIOError, InterruptedError):
            return
        except FrameError as error:
            caller.say(frames.pack(frames.Refused(frames.RefusalCode.NOT_UNDERSTOOD, str(error))))
            self._let_go(caller)
        except OSError:
            self._let_go(caller)
        except Exception as error:  # the boundary of one connection; a press on it is repeated over the next one
            self._say(f"a connection was let go of ({type(error).__name__}: {error}); the engine goes on")
            self._let_go(caller)

    def _hear_hello(self, caller: Caller, hello: frames.Hello) -> None:
        refused = self._refusal(hello)
        if refused is None and hello.role is frames.Role.PRESS:
            self._make_room(LINES, is_line=True)
            caller.is_line = True
            return
        if refused is None:
            self._forget(caller)
            refused = self._welcome(caller, hello)
            if refused is None:
                return
        caller.say(frames.pack(refused))
        self._let_go(caller)

    def _forget(self, caller: Caller) -> None:
        if self._callers.pop(caller.connection.fileno(), None) is not None:
            self._selector.unregister(caller.connection)

    def _let_go(self, caller: Caller) -> None:
        self._forget(caller)
        with suppress(OSError):
            caller.connection.close()


# ── the service ──────────────────────────────────────────────────────────────────────────────────────────────────────

OTHER_VERSION = (
    "the engine is {} and this desk is {}, nothing was asked of it: "
    "leave with q, `keyturn engine restart`, then attach again"
)


def version_refusal(hello: Hello, release: str) -> Refused | None:
    """Refuse a program of another version."""
    if hello.protocol == PROTOCOL:
        return None
    words = OTHER_VERSION.format(release or "another version", hello.version or "another version")
    return Refused(RefusalCode.OTHER_PROTOCOL, words)


class EngineService:
    """Run `runtime` and serve the connections of `listener`.

    Parameters
    ----------
    release
        The version of Keyturn, for a desk of another version.
    now
        Wall time in seconds, by which desks are served.
    """

    def __init__(
        self,
        runtime: Runtime,
        listener: socket.socket,
        release: str = "",
        peer_of: Callable[[socket.socket], Peer] = peer_of,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.runtime = runtime
        port = CommandPort(PortKind.CONSOLE)
        runtime.admit(port.known)
        self.books = EngineBooks(runtime, port)
        self.checks = BasketChecks(runtime)
        self.desks = DeskServer(self.books, runtime.keys, release, runtime.engine.say, now)
        self.desk_listener = DeskListener(
            listener, peer_of, self._press, self._welcome, self._refusal, runtime.engine.say, now
        )
        self._release = release
        self._arrivals, self._now = Arrivals(), now
        self._feed = SnapshotFeed(runtime, self.desks.wish, self.desks.show, now)

    def run(self, reason: str) -> None:
        """Run until the runtime is told to leave; `reason` is recorded with its stop."""
        self.begin()
        try:
            self.runtime.run()
            self.runtime.stop(self.runtime.ended_by or reason)
        finally:
            self.end()

    def begin(self) -> None:
        """Start serving desks; the caller runs the runtime next."""
        self.runtime.on_beat(self._feed.look)
        self.runtime.rest_while(lambda: not self.desks.is_watched)
        self.books.begin()
        self.desks.thread.start()
        self.desk_listener.thread.start()

    def end(self) -> None:
        """Stop serving after the runtime has ended; its last messages go to the attached desks."""
        self.desk_listener.close()
        self.desks.close(self.runtime.last_words)

    def _press(self, press: Press) -> None:
        self.books.press(press.token, kills=press.kind is PressKind.KILL)

    def _refusal(self, hello: Hello) -> Refused | None:
        return version_refusal(hello, self._release)

    def _welcome(self, caller: Caller, hello: Hello) -> Refused | None:
        if hello.role is Role.CHECK:
            return self.checks.admit(caller.connection, caller.reader)
        if hello.role is Role.LOOK:
            looker = DeskConnection(caller.connection, "", caller.reader, self._now())
            looker.watched = symbol_in(hello.symbol)
            return self.desks.show_once(looker)
        arrival = self.books.arrival_of(hello.token)
        if arrival is not Arrival.HOLDER and self.desks.count >= (MOST if arrival is Arrival.NEW else 2 * MOST):
            return Refused(RefusalCode.TOO_MANY, FULL)
        if not self._arrivals.takes(self._now(), arrival):
            caller.connection.close()
            return None
        peer = caller.peer
        seat = Seat(peer.terminal, peer.user, peer.address)
        if peer.address and not peer.terminal:  # it names the terminal on the machine from which it came
            seat = replace(seat, terminal=hello.terminal)
        link = self.books.attach(seat, hello.token)
        self.desks.admit(DeskConnection(caller.connection, link, caller.reader, caller.since))
        return None
