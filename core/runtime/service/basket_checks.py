"""Dry runs of baskets for programs: a connection brings one basket, gets its verdicts, and is hung up on (OP-05).

The dry run is worked out in the engine's thread at a beat, on a copy of the books. Each connection has a thread of its
own, so that a slow one holds up neither the engine nor another. Nothing is recorded, no desk is attached, and no other
frame is read: a check cannot stage (SY-08).
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import field

from msgspec import Raw

from core.messages.commands import OpenBasket
from core.model.basket import BasketSource
from core.model.lazy_dataclass import dataclass
from core.protocol import frames
from core.protocol.codec import FrameError, decode, encode
from core.risk.standard_gate import standard_gate
from core.runtime.runtime import Runtime
from core.workflows.baskets import BasketDrafts

MOST = 4
"""The maximum of connections at once."""
FULL = f"{MOST} baskets are being checked; try again"
TIMEOUT = 5.0
"""Seconds for the basket to arrive, for the engine to check it, and for the answer to be taken."""
TURN = 65_536
NO_ANSWER = f"the engine did not check it within {TIMEOUT:g} s; see `keyturn status`"
OTHER_ACCOUNT = "the basket is for another account; name that of this engine with --account"


@dataclass(slots=True)
class Asked:
    """A basket that waits for the engine's thread."""

    command: OpenBasket
    answer: frames.Checked | frames.Refused | None = None
    is_answered: threading.Event = field(default_factory=threading.Event)


class BasketChecks:
    """Made before the runtime runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._drafts = BasketDrafts(runtime.engine.state, standard_gate())
        self._waiting: deque[Asked] = deque()
        self._places = threading.BoundedSemaphore(MOST)
        runtime.each_beat(self._look)

    def admit(self, connection: socket.socket, reader: frames.FrameReader) -> frames.Refused | None:
        """Take over a connection that said hello; return why not. The listener's thread; never waits.

        `reader` has the bytes received after the hello.
        """
        if not self._places.acquire(blocking=False):
            return frames.Refused(frames.RefusalCode.TOO_MANY, FULL)
        threading.Thread(target=self._serve, args=(connection, reader), name="basket check", daemon=True).start()
        return None

    # ── the engine's thread ──────────────────────────────────────────────────────────────────────────────────────────

    def _look(self) -> None:
        if not self._waiting or self._runtime.preparing() is not None:
            return
        while self._waiting:
            asked = self._waiting.popleft()
            try:
                found = self._drafts.check(asked.command, self._runtime.clock())
                asked.answer = frames.Checked(Raw(encode(found)))
            except Exception as error:  # the boundary of one check: the engine goes on
                words = f"the check failed ({type(error).__name__}: {error}); nothing was staged"
                self._runtime.engine.say(words)
                asked.answer = frames.Refused(frames.RefusalCode.NOT_UNDERSTOOD, words)
            asked.is_answered.set()

    # ── a thread of each connection ──────────────────────────────────────────────────────────────────────────────────

    def _serve(self, connection: socket.socket, reader: frames.FrameReader) -> None:
        with connection:
            try:
                with suppress(FrameError, OSError):  # it left
                    connection.settimeout(TIMEOUT)
                    connection.sendall(frames.pack(self._answer(connection, reader)))
            finally:
                self._places.release()

    def _answer(self, connection: socket.socket, reader: frames.FrameReader) -> frames.Checked | frames.Refused:
        try:
            asked = Asked(_basket_of(connection, reader))
        except FrameError as error:
            return frames.Refused(frames.RefusalCode.NOT_UNDERSTOOD, str(error))
        if asked.command.account != self._runtime.account:
            return frames.Refused(frames.RefusalCode.NOT_UNDERSTOOD, OTHER_ACCOUNT)
        self._waiting.append(asked)
        self._runtime.beat_soon()
        asked.is_answered.wait(TIMEOUT)
        return asked.answer or frames.Refused(frames.RefusalCode.NOT_READY, NO_ANSWER)


def _basket_of(connection: socket.socket, reader: frames.FrameReader) -> OpenBasket:
    """Read the only frame. Raises `FrameError` for any other, and OSError."""
    reader.largest = frames.LARGEST
    content, until = b"", time.monotonic() + TIMEOUT
    while True:
        for frame in reader.feed(content):
            request = frames.from_desk(frame)
            if not isinstance(request, frames.Check):
                raise FrameError(f"{type(request).__name__} is nothing that a check says")
            command = decode(request.basket, OpenBasket)
            if command.source is not BasketSource.FILE:
                raise FrameError("only the orders of a file are checked")
            return command
        if time.monotonic() > until:
            raise FrameError(f"the basket did not arrive within {TIMEOUT:g} s")
        content = connection.recv(TURN)
        if not content:
            raise ConnectionResetError("it hung up")
