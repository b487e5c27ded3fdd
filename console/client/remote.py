"""An engine in another process, over its socket: the same surface as `EngineHandle`, and nothing of the engine loaded.

One thread reads and writes the desk's connection; it is there again by itself after a restart of the engine or a cut.
The press line is a connection of its own, written by whoever presses: a halt waits for no picture.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Raw

from console.client.access import nobody_looks
from console.client.engine_link import EngineLink
from console.client.press_line import PressLine
from core.messages.command_ports import addressed
from core.messages.commands import Command, Halt, Kill
from core.model.desk import DeskNumber, Seat
from core.model.values import AccountId, Symbol
from core.ports import OperatorError
from core.protocol.changes import apply_changes
from core.protocol.codec import decode_view, encode
from core.protocol.errors import FrameError
from core.protocol.frames import (
    LARGEST,
    PROTOCOL,
    Answered,
    Attend,
    Changed,
    Detach,
    Ended,
    FromDesk,
    FromEngine,
    Hello,
    Picture,
    Preparing,
    PressKind,
    Pulse,
    Refused,
    Role,
    Say,
    Seen,
    Watch,
    Welcome,
    from_engine,
    pack,
)
from core.protocol.stream import FrameReader
from core.views import DeskView
from core.views.engine import EngineFailed, EngineLoading

RETRY = 0.2
"""Seconds between two tries to reach the engine."""
WORD = 3.0
"""Seconds between two words that only say that this desk is there."""
FAREWELL, LOOK = 1.0, 0.05
"""Seconds that the goodbye has to leave, and between two looks whether it has."""
NEXT_LINE = 1.0
"""Seconds between two press lines, where none is owed anything."""
AT_ONCE = 1 << 18
"""Bytes."""
WAITING = "the engine is not there; this desk waits for it"
STOPPED = "the engine has stopped; this desk waits for another, `keyturn engine start` starts one"
LOST = "the link to the engine is lost; it is tried again"

Connect = Callable[[], socket.socket]
"""A connection to the engine. Raises `OperatorError` where there is none to be had."""


class RemoteEngine:
    """A desk's way to an engine elsewhere.

    Parameters
    ----------
    connect
        Makes one connection; called again for each try.
    seat
        Where this desk is, by its own word: the engine believes the kernel's.
    """

    goes_on = True

    def __init__(self, connect: Connect, seat: Seat, release: str, now: Callable[[], float] = time.monotonic) -> None:
        self.view: DeskView | EngineLoading | EngineFailed = EngineLoading("attaching to the engine")
        self.ended = threading.Event()
        self.last_words: tuple[str, ...] = ()
        self.link = EngineLink(now)
        self.desk: DeskNumber | None = None
        self.unsaid: deque[str] = deque(maxlen=8)
        """What was asked for and did not reach the engine, in words; whoever shows them takes them."""
        self._connect, self._seat, self._release, self._now = connect, seat, release, now
        self._token = ""
        self._waits = WAITING
        self._account: AccountId | None = None
        self._keys: Mapping[str, str] = {}
        self._clock: tuple[datetime, float, float] | None = None
        self._watched: Symbol | None = None
        self._attends = False
        self._number = 0
        self._queue: deque[bytes] = deque()
        self._on_news: Callable[[], None] = nobody_looks
        self._is_leaving = self._says_goodbye = False
        self._asked: set[int] = set()
        self._line = PressLine(self._wake_up)
        self._next_line = 0.0
        self._wakes, self._wake = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._wake, False)
        self._thread = threading.Thread(target=self._live, name="engine link", daemon=True)

    # ── the surface ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """`on_news` is called in the link's thread when a picture with news is there. It never waits."""
        self._on_news = on_news
        self._thread.start()

    def send(self, command: Command) -> None:
        """Ask the engine for something, for the account of the picture that it was typed at."""
        if isinstance(command, Halt):
            self.press_kill()
        elif isinstance(command, Kill):
            self.press_kill_again(command.naked)
        elif self.link.trouble is not None or self._account is None:
            self.unsaid.append(f"not asked: {self.link.trouble or WAITING}")
        else:
            self._number += 1
            self._asked.add(self._number)
            self._put(Say(self._number, Raw(encode(addressed(command, self._account)))))

    def press_kill(self) -> None:
        """Any thread; never waits; may be repeated. Where the engine cannot be reached it goes as soon as it can."""
        self._line.press(PressKind.HALT)

    def press_kill_again(self, naked: bool = False) -> None:
        """`K` on the kill screen."""
        self._line.press(PressKind.KILL, naked=naked)

    def attend(self, attended: bool) -> None:
        """A person is deciding: virtual time runs at ×1."""
        if attended != self._attends:
            self._attends = attended
            self._put(Attend(attended))

    def watch(self, symbol: Symbol | None) -> None:
        """The console shows this symbol's chart, or none."""
        if symbol != self._watched:
            self._watched = symbol
            self._put(Watch(symbol))

    def clock(self) -> datetime | None:
        """The engine's time now, as far as it is known here."""
        if self._clock is None:
            return None
        at, heard_at, rate = self._clock
        return at + timedelta(seconds=(self._now() - heard_at) * rate)

    def keys(self) -> Mapping[str, str]:
        return self._keys

    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        """The engine goes on. Any thread; does not wait: see `ended`."""
        self._says_goodbye = self._says_goodbye or (on_purpose and not self._is_leaving)
        self._is_leaving = True
        self._wake_up()

    def close(self, reason: str, patience: float) -> bool:
        self.leave(reason)
        return self._thread.ident is None or self.ended.wait(patience)

    # ── the link's thread ────────────────────────────────────────────────────────────────────────────────────────

    def _live(self) -> None:
        try:
            while not self._is_leaving and not isinstance(self.view, EngineFailed):
                try:
                    self._attach()
                except OperatorError as error:
                    self.link.lose(str(error) if self._clock is None else self._waits)
                    self._stay_waiting(str(error))
                except FrameError as error:
                    self.link.lose(f"the engine said what cannot be read: {error}")
                except OSError:
                    self.link.lose(LOST)
                self._pause()
        except Exception as error:  # the thread's edge: what was not foreseen is shown; the engine goes on
            self.view = EngineFailed(f"unexpected {type(error).__name__}: {error}; attach again, the engine goes on")
        finally:
            self._line.close()
            self.ended.set()

    def _stay_waiting(self, words: str) -> None:
        if isinstance(self.view, EngineLoading):
            self.view = EngineLoading(words)

    def _pause(self) -> None:
        if not self._is_leaving:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._wakes, selectors.EVENT_READ)
                waiting.select(RETRY)
            self._drain()

    def _hello(self, role: Role) -> Hello:
        seat = self._seat
        return Hello(PROTOCOL, self._release, role, seat.terminal, seat.user, seat.address, self._token)

    def _attach(self) -> None:
        """One connection, from its hello to its end."""
        self._open_line()
        connection = self._connect()
        try:
            connection.setblocking(False)
            self._queue.append(pack(self._hello(Role.DESK)))
            if self._watched is not None:
                self._queue.append(pack(Watch(self._watched)))
            if self._attends:
                self._queue.append(pack(Attend(True)))
            self._serve(connection)
        finally:
            self._account = None
            connection.close()
            self._queue.clear()
            self._name_what_is_not_answered()

    def _name_what_is_not_answered(self) -> None:
        """What was asked and not taken in before the link broke: nobody here knows whether it arrived."""
        if self._asked and not self._is_leaving:
            what = "what was asked last" if len(self._asked) == 1 else f"the last {len(self._asked)} things asked"
            self.unsaid.append(f"the link broke: {what} may not have arrived; look before you ask again")
        self._asked.clear()

    def _open_line(self) -> None:
        self._next_line = self._now() + NEXT_LINE
        self._line.open(self._connect(), pack(self._hello(Role.PRESS)))

    def _serve(self, connection: socket.socket) -> None:
        reader, out = FrameReader(LARGEST), bytearray()
        said_at, until = self._now(), 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakes, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            line: socket.socket | None = None
            while True:
                while self._queue:
                    out += self._queue.popleft()
                if self._is_leaving and not until:
                    out += pack(Detach()) if self._says_goodbye else b""
                    until = self._now() + FAREWELL
                if self._now() - said_at > WORD:
                    out += pack(Seen(0))
                if out:
                    said_at = self._now()
                    with suppress(BlockingIOError):
                        del out[: connection.send(out)]
                if until and (not out or self._now() > until):
                    return
                line = self._watch_line(selector, line)
                selector.modify(connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if out else 0))
                selector.select(LOOK if until else WORD / 2)
                self._drain()
                self._line.hear()
                self._hear(connection, reader)

    def _watch_line(self, selector: selectors.BaseSelector, watched: socket.socket | None) -> socket.socket | None:
        """The press line, opened anew where none is there; what is selected for it."""
        if self._line.connection is None and (self._line.is_owed or self._now() >= self._next_line):
            self._open_line()
        if self._line.connection is not watched:
            if watched is not None:
                selector.unregister(watched)
            if self._line.connection is not None:
                selector.register(self._line.connection, selectors.EVENT_READ)
        return self._line.connection

    def _hear(self, connection: socket.socket, reader: FrameReader) -> None:
        with suppress(BlockingIOError):
            content = connection.recv(AT_ONCE)
            if not content:
                raise ConnectionResetError("the engine hung up")
            self.link.hear()
            for frame in reader.feed(content):
                self._take(from_engine(frame))

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wakes, 4096)

    def _wake_up(self) -> None:
        with suppress(BlockingIOError, OSError):
            os.write(self._wake, b"\0")

    def _put(self, request: FromDesk) -> None:
        self._queue.append(pack(request))
        self._wake_up()

    # ── what the engine says ─────────────────────────────────────────────────────────────────────────────────────

    def _take(self, reply: FromEngine) -> None:
        if isinstance(reply, Picture):
            self._show(_a_picture(reply), reply)
        elif isinstance(reply, Changed):
            if not isinstance(self.view, DeskView):
                raise FrameError("changes came before a picture")
            self._show(apply_changes(self.view, reply.changes, DeskView), reply)
        elif isinstance(reply, Pulse):
            self._set_clock(reply)
        elif isinstance(reply, Preparing):
            self.view = EngineLoading(reply.words)
        elif isinstance(reply, Welcome):
            self._waits = WAITING
            self._token, self.desk, self._keys = reply.token, DeskNumber(reply.desk), reply.keys
            self._account = AccountId(reply.account)
        elif isinstance(reply, Refused):
            self.view = EngineFailed(reply.words)
            raise OperatorError(reply.words)
        elif isinstance(reply, Ended):
            self.last_words = reply.words
            self._waits = STOPPED
        elif isinstance(reply, Answered):
            self._asked.discard(reply.number)
            if reply.refusal:
                self.unsaid.append(reply.refusal)

    def _show(self, view: DeskView, reply: Picture | Changed) -> None:
        is_news = not isinstance(self.view, DeskView) or view.log is not self.view.log
        self._set_clock(reply)
        self.view = view
        if is_news:
            self._on_news()

    def _set_clock(self, reply: Picture | Changed | Pulse) -> None:
        if reply.clock is not None:
            self._clock = (reply.clock, self._now(), reply.rate)


def _a_picture(reply: Picture) -> DeskView:
    view = decode_view(reply.value)
    if not isinstance(view, DeskView):
        raise FrameError(f"{type(view).__name__} is no picture")
    return view
