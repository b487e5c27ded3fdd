"""One view for each program that asks, from an engine that serves no desks: a demo (SY-08).

The views are drawn in the engine's thread at its beats. Each reader has a thread in which its view is encoded and sent,
so that none holds up the engine or another reader. Nothing but the first message of a connection is read.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from msgspec import Raw

from core.model.instrument import symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.protocol import frames
from core.protocol.codec import FrameError, encode
from core.runtime.runtime import Runtime
from core.runtime.service.basket_checks import BasketChecks
from core.runtime.service.desk_connections import LOOKERS
from core.runtime.service.peers import Peer, peer_of
from core.runtime.service.service import Caller, DeskListener, version_refusal
from core.views import DeskView

NO_DESK = "a demo has the one desk that it opened; leave that and open it anew"
FULL = f"{LOOKERS} programs are being shown the desk; ask again"
TIMEOUT = 5.0
"""Seconds within which a reader must take its view."""


@dataclass(frozen=True, slots=True)
class Looker:
    """A connection that waits for a view, and the symbol whose chart it asked for."""

    connection: socket.socket
    symbol: Symbol | None


class ViewService:
    """Show views of `runtime` at `listener`, from `begin` until `end`. Made before the runtime runs.

    Parameters
    ----------
    release
        The version of Keyturn, for a program of another version.
    """

    def __init__(
        self,
        runtime: Runtime,
        listener: socket.socket,
        release: str = "",
        peer_of: Callable[[socket.socket], Peer] = peer_of,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._release = release
        self._waiting: deque[Looker] = deque()
        self._places = threading.BoundedSemaphore(LOOKERS)
        self._listener = DeskListener(
            listener, peer_of, lambda _press: None, self._welcome, self._refusal, runtime.engine.say, now
        )
        self._checks = BasketChecks(runtime)
        runtime.each_beat(self._look)

    def begin(self) -> None:
        self._listener.thread.start()

    def end(self) -> None:
        """Stop after the runtime has ended; who still waits is hung up on."""
        self._listener.close()
        while self._waiting:
            self._waiting.popleft().connection.close()
            self._places.release()
        for _ in range(LOOKERS):
            self._places.acquire(timeout=TIMEOUT)

    # ── the listener's thread ────────────────────────────────────────────────────────────────────────────────────────

    def _refusal(self, hello: frames.Hello) -> frames.Refused | None:
        if (refused := version_refusal(hello, self._release)) is not None:
            return refused
        if hello.role not in (frames.Role.LOOK, frames.Role.CHECK):
            return frames.Refused(frames.RefusalCode.TOO_MANY, NO_DESK)
        return None

    def _welcome(self, caller: Caller, hello: frames.Hello) -> frames.Refused | None:
        if hello.role is frames.Role.CHECK:
            return self._checks.admit(caller.connection, caller.reader)
        if not self._places.acquire(blocking=False):
            return frames.Refused(frames.RefusalCode.TOO_MANY, FULL)
        self._waiting.append(Looker(caller.connection, symbol_in(hello.symbol)))
        self._runtime.beat_soon()
        return None

    # ── the engine's thread ──────────────────────────────────────────────────────────────────────────────────────────

    def _look(self) -> None:
        if not self._waiting or self._runtime.preparing() is not None:
            return
        view = self._runtime.view_beside()
        while self._waiting:
            looker = self._waiting.popleft()
            chart = None if looker.symbol is None else self._runtime.chart_of(looker.symbol, view)
            drawn = looker.connection, replace(view, chart=chart)
            threading.Thread(target=self._send, args=drawn, name="view", daemon=True).start()

    # ── a thread of each reader ──────────────────────────────────────────────────────────────────────────────────────

    def _send(self, connection: socket.socket, view: DeskView) -> None:
        with connection:
            try:
                with suppress(FrameError, OSError):  # it left, or the view is above the frame limit
                    connection.settimeout(TIMEOUT)
                    connection.sendall(frames.pack(frames.Snapshot(1, view.status.at, 1.0, 0, Raw(encode(view)))))
            finally:
                self._places.release()  # before the reader is hung up on: it may ask again at once
