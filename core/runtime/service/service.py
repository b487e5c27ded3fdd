"""An engine with its desks: the engine in the calling thread, connections and desks in their own threads (SY-01)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

from core.messages.command_ports import CommandPort, PortKind
from core.model.desk import Seat
from core.protocol.frames import PROTOCOL, Hello, Press, PressKind, RefusalCode, Refused, Role
from core.runtime.runtime import Runtime
from core.runtime.service.desk_connection import DeskConnection, PictureFeed
from core.runtime.service.desks import FULL, MOST, Arrival, Arrivals, DeskServer, EngineBooks
from core.runtime.service.listener import Caller, Doorway, Peer, peer_of

OTHER_VERSION = (
    "the engine is {} and this desk is {}, nothing was asked of it: "
    "leave with q, `keyturn engine restart`, then attach again"
)


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
        door = CommandPort(PortKind.CONSOLE)
        runtime.admit(door.known)
        self.books = EngineBooks(runtime, door)
        self.desks = DeskServer(self.books, runtime.keys, release, runtime.engine.say, now)
        self.doorway = Doorway(listener, peer_of, self._press, self._welcome, self._refusal, runtime.engine.say, now)
        self._release = release
        self._arrivals, self._now = Arrivals(), now
        self._feed = PictureFeed(runtime, self.desks.wish, self.desks.show, now)

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
        self.doorway.thread.start()

    def end(self) -> None:
        """Stop serving after the runtime has ended; its last messages go to the attached desks."""
        self.doorway.close()
        self.desks.close(self.runtime.last_words)

    def _press(self, press: Press) -> None:
        self.books.press(press.token, kills=press.kind is PressKind.KILL)

    def _refusal(self, hello: Hello) -> Refused | None:
        if hello.protocol != PROTOCOL:
            words = OTHER_VERSION.format(self._release or "another version", hello.version or "another version")
            return Refused(RefusalCode.OTHER_PROTOCOL, words)
        return None

    def _welcome(self, caller: Caller, hello: Hello) -> Refused | None:
        if hello.role is Role.LOOK:
            return self.desks.show_once(DeskConnection(caller.connection, "", caller.reader, self._now()))
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
