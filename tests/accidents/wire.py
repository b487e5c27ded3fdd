"""The link between a hand and the desk, and the real driver on its near end: scanner, parser and paced writer.

Bytes take their time in both directions, in order. A link that stands still delivers nothing, either way; what the
kernel and ssh take of the output meanwhile is up to `hidden` bytes, which the writer believes to have left.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from textual import events
from textual.geometry import Size

from console.shutdown import Departure
from console.terminal.driver import EAGER, KeyturnDriver
from console.terminal.writer import PacedWriter
from tests.accidents.clock import Clock
from tests.accidents.far_screen import FarScreen

QUESTION, ANSWER = b"\x1b[5n", b"\x1b[0n"


@dataclass
class Wire:
    """Attributes: `delay`, seconds one way; `hidden`, bytes of output; `answers`, whether the terminal does."""

    clock: Clock
    far: FarScreen
    delay: float = 0.01
    hidden: int = 0
    answers: bool = True
    is_still: bool = False
    driver: WiredDriver | None = None
    _up: deque[bytes] = field(default_factory=deque)
    _down: deque[bytes] = field(default_factory=deque)
    _held: int = 0
    _seen: bytes = b""
    _flies_up: deque[bytes] = field(default_factory=deque)
    _flies_down: deque[bytes] = field(default_factory=deque)

    # ── up: keys

    def type(self, data: bytes) -> None:
        if self.is_still:
            self._up.append(data)
        else:
            self._send_up(data)

    def _send_up(self, data: bytes) -> None:
        """In order: two timers of one instant ring in any."""
        self._flies_up.append(data)
        self.clock.call_punctually(self.delay, self._reach)

    def _reach(self) -> None:
        data = self._flies_up.popleft()
        if self.is_still:  # it was on its way when the link stopped
            self._up.append(data)
        elif self.driver is not None:
            self.driver.receive(data)

    # ── down: pictures

    def room(self) -> int:
        return 1 << 16 if not self.is_still else max(0, self.hidden - self._held)

    def carry(self, data: bytes) -> None:
        if self.is_still:
            self._held += len(data)
            self._down.append(data)
        else:
            self._send_down(data)

    def _send_down(self, data: bytes) -> None:
        self._flies_down.append(data)
        self.clock.call_punctually(self.delay, self._arrive)

    def _arrive(self) -> None:
        data = self._flies_down.popleft()
        if self.is_still:
            self._held += len(data)
            self._down.append(data)
            return
        self.far.arrive(data)
        tail = self._seen[-3:] + data
        self._seen = data
        if self.answers:
            for _ in range(tail.count(QUESTION)):
                self.type(ANSWER)

    # ── still and moving

    def stop(self) -> None:
        self.is_still = True

    def move(self, in_one_read: bool) -> None:
        """Everything that waited goes on: what was typed comes in one read or in several, one right after the other."""
        self.is_still = False
        self._held = 0
        for part in [b"".join(self._up)] if in_one_read else [*self._up]:
            self._send_up(part)
        drawn = b"".join(self._down)
        self._up.clear()
        self._down.clear()
        if drawn:
            self._send_down(drawn)
        if self.driver is not None:
            self.driver.pump_soon()


class WiredWriter(PacedWriter):
    """The real one, pumped by the loop instead of by a thread of its own."""

    def __init__(self, wire: Wire, repaint: Any) -> None:
        super().__init__(-1, repaint, wire.clock.now)
        self._wire = wire
        self._rest = memoryview(b"")

    def _put(self, data: bytes) -> None:
        super()._put(data)
        asyncio.get_running_loop().call_soon(self.pump)

    def pump(self) -> None:
        while self._waiting:
            if not self._rest:
                self._rest = memoryview(self._waiting[0])
            room = self._wire.room()
            if not room:
                return
            self._wire.carry(bytes(self._rest[:room]))
            self._rest = self._rest[room:]
            self._progressed()
            if not self._rest:
                self._sent()

    def stop(self, timeout: float = 0.5) -> bool:
        self._is_painting = False
        return True


class WiredDriver(KeyturnDriver):
    """The desk's driver on a wire: bytes come from a hand and not from a descriptor, all else is the real one."""

    wire: Wire

    _looks_again = False
    _no_turn_until = 0.0
    _unread = b""

    def start_application_mode(self) -> None:
        self._writer = WiredWriter(self.wire, self._ask_for_repaint)
        self.wire.driver = self
        self._writer.ask_for_proof()

    def stop_application_mode(self) -> None:
        """No terminal is to be restored."""

    def disable_input(self) -> None:
        """Nobody reads."""

    def close(self) -> None:
        self._writer = None

    def pump_soon(self) -> None:
        if isinstance(self._writer, WiredWriter):
            asyncio.get_running_loop().call_soon(self._writer.pump)

    def receive(self, data: bytes) -> None:
        self._unread += data
        if self.wire.clock.now() >= self._no_turn_until:
            self._look()

    def starves(self, seconds: float) -> None:
        """A busy machine gives the input thread no turn: what comes is read late, at once, and no silence is seen."""
        self._no_turn_until = self.wire.clock.now() + seconds
        self.wire.clock.call_punctually(seconds, self._look)

    def _look(self) -> None:
        data, self._unread = self._unread, b""
        if data:
            self._reader.feed(data, self.wire.clock.now())
        else:
            self._reader.tick(self.wire.clock.now())
        self._look_again()

    def _look_again(self) -> None:
        """One look is due at a time, however much comes in before it."""
        if self._reader.is_waiting and not self._looks_again:
            self._looks_again = True
            self.wire.clock.call_punctually(EAGER, self._tick)

    def _tick(self) -> None:
        self._looks_again = False
        if self.wire.clock.now() >= self._no_turn_until:
            self._look()

    def resize(self, width: int, height: int) -> None:
        """What the window's signal does."""
        self.wire.far.resize(width, height)
        size = Size(width, height)
        self._size = (width, height)
        self.send_message(events.Resize(size, size))


def driver_on(wire: Wire, door: Any) -> type[WiredDriver]:
    """A class for the app to make its driver of. Signals stay whose they are."""

    class OnThisWire(WiredDriver):
        def __init__(self, *arguments: Any, **terms: Any) -> None:
            listen, Departure.listen = Departure.listen, lambda _self: None  # type: ignore[method-assign]
            try:
                super().__init__(*arguments, **terms)
                self._clock = wire.clock.now
            finally:
                Departure.listen = listen  # type: ignore[method-assign]

    OnThisWire.port = door
    OnThisWire.wire = wire
    return OnThisWire
