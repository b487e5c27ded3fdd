"""One desk's connection: parses its requests, and sends the views that the engine's thread draws for it.

Draw views for the attached desks, in the engine's thread at its beats.
One drawing serves every desk. None is drawn while no desk is attached or none has room for another.

At most one view is buffered for a desk: the next is prepared only when the last one has been sent.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from msgspec import Raw

from core.model.desk import NO_NUMBER
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.protocol import frames
from core.protocol.changes import changes, encode_changes
from core.protocol.codec import encode
from core.runtime.runtime import Runtime
from core.views import ChartView, DeskView
from core.views.desk import is_due


@dataclass(frozen=True, slots=True)
class Wish:
    """The symbols that desks watch, None for a desk that watches none; `at_once` if a desk has no view yet."""

    symbols: frozenset[Symbol | None]
    at_once: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A view of one instant.

    Attributes
    ----------
    preparing
        The progress of the preparation before there is a view; None afterwards.
    charts
        The chart of each watched symbol; a desk's view has the one that it watches.
    clock, rate
        The engine's time at the drawing, and its seconds per second of wall time.
    presses
        The number of halts and kills that it includes.
    """

    view: DeskView | None
    preparing: str | None
    charts: Mapping[Symbol, ChartView | None]
    clock: datetime
    rate: float
    presses: int


class SnapshotFeed:
    """The views of one runtime.

    Parameters
    ----------
    wish
        Returns which views the ready desks need; None if no desk waits for one.
    show
        Takes a view; called in the engine's thread, never waits.
    """

    def __init__(
        self,
        runtime: Runtime,
        wish: Callable[[], Wish | None],
        show: Callable[[Drawn], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._wish = wish
        self._show = show
        self._now = now
        self._drawn_at = 0.0

    def look(self) -> None:
        """Draw a view if one is due; called at every beat of the engine."""
        wish = self._wish()
        if wish is None:
            return
        since = self._now() - self._drawn_at
        has_news = wish.at_once or self._runtime.has_news()
        if is_due(since, has_news=has_news, has_changed=self._runtime.has_changed):
            self._draw(wish.symbols)

    def _draw(self, symbols: frozenset[Symbol | None]) -> None:
        runtime = self._runtime
        self._drawn_at = self._now()
        presses = runtime.latch.obeyed
        preparing = runtime.preparing()
        view = None if preparing is not None else runtime.view()
        charts = {symbol: runtime.chart_of(symbol, view) for symbol in symbols if view is not None and symbol}
        self._show(Drawn(view, preparing, charts, runtime.clock(), runtime.rate, presses))


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

    def __init__(self, connection: socket.socket, link: str, reader: frames.FrameReader, now: float) -> None:
        self.connection = connection
        self.link = link
        self.number = NO_NUMBER
        self.watched: Symbol | None = None
        self.attends = False
        self.heard_at = self._said_at = now
        self._reader = reader
        self._reader.largest = frames.LARGEST
        self._is_new = True
        self._out = bytearray()
        self._shown: DeskView | None = None
        self._drawn: Drawn | None = None
        self._view = 0
        self._said: deque[float] = deque(maxlen=COMMANDS_A_SECOND)
        self._unread = 0

    def fileno(self) -> int:
        return self.connection.fileno()

    @property
    def has_room(self) -> bool:
        """Whether all earlier messages have been sent."""
        return not self._out

    @property
    def has_snapshot(self) -> bool:
        """Whether it was shown one, taken or on its way."""
        return self._shown is not None

    def is_silent(self, now: float) -> bool:
        return now - self.heard_at > SILENT

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, now: float) -> Iterator[frames.FromDesk]:
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
            yield frames.from_desk(frame)

    def _count(self, now: float) -> None:
        if len(self._said) == COMMANDS_A_SECOND and now - self._said[0] < 1.0:
            raise FloodError(f"more than {COMMANDS_A_SECOND} frames in a second")
        self._unread = 0 if self.has_room else self._unread + 1
        if self._unread > MOST_UNREAD:
            raise FloodError(f"{MOST_UNREAD} answers were not taken")
        self._said.append(now)

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, frame: frames.FromEngine) -> None:
        self._out += frames.pack(frame)

    def show(self, drawn: Drawn) -> None:
        """Send the newest view if there is room and the desk does not have it yet."""
        if not self.has_room or drawn is self._drawn:
            return
        self._drawn = drawn
        if drawn.view is None:
            self.say(frames.Preparing(drawn.preparing or ""))
            return
        view = replace(drawn.view, chart=drawn.charts.get(self.watched)) if self.watched else drawn.view
        self._view += 1
        if self._shown is None:
            self.say(frames.Snapshot(self._view, drawn.clock, drawn.rate, drawn.presses, Raw(encode(view))))
        elif found := changes(self._shown, view):
            since, news = self._view - 1, Raw(encode_changes(found))
            self.say(frames.Changed(self._view, since, drawn.clock, drawn.rate, drawn.presses, news))
        else:
            self._view -= 1
            self.say(frames.Pulse(drawn.clock, drawn.rate, drawn.presses))
        self._shown = view

    def send(self, now: float) -> None:
        """Send without blocking, and a pulse after silence. Raises OSError if the connection is closed."""
        if self.has_room and now - self._said_at > PULSE:
            self.say(frames.Pulse())
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
