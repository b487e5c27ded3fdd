"""An engine in a thread of its own that takes turns with the loop: one of the two runs, and the other waits for it.

The desk sees an engine in its thread, as ever; which of them comes first depends on nothing but the clock of the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from console.client.access import nobody_looks
from console.client.handle import EngineHandle
from core.messages.command_ports import CommandPort
from core.messages.commands import Command
from core.protocol.changes import apply_changes, changes, encode_changes
from core.protocol.codec import decode_command, decode_view, encode
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from tests.kit.virtual_time import VirtualLoop


class Turns(threading.Event):
    """Stands for `Pace.wake`: the engine's waits end when the loop's clock says so, or when somebody wakes it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._loops = threading.current_thread()
        self._engine: threading.Thread | None = None
        self._its_turn = threading.Semaphore(0)
        self._our_turn = threading.Semaphore(0)
        self._next: asyncio.TimerHandle | None = None
        self._waits = 0.0

    def begin(self, engine: threading.Thread) -> None:
        """Start the engine's thread, and return when it waits for the first time."""
        self._engine = engine
        engine.start()
        self._until_it_waits()

    def end(self) -> None:
        """In the engine's thread: it is done."""
        self._engine = None
        self._our_turn.release()

    def wait(self, timeout: float | None = None) -> bool:
        """In the engine's thread: give the turn away."""
        self._waits = 0.0 if self.is_set() else timeout or 0.0
        self._our_turn.release()
        self._its_turn.acquire()
        return self.is_set()

    def set(self) -> None:
        super().set()
        if self._engine is None or threading.current_thread() is self._engine:
            return
        if threading.current_thread() is self._loops:
            self._come_back_in(0.0)
        else:
            self._loop.call_soon_threadsafe(self._come_back_in, 0.0)

    def give(self) -> None:
        """The engine goes on until it waits again, or is done."""
        if self._engine is not None:
            self._its_turn.release()
            self._until_it_waits()

    def is_over(self) -> bool:
        return self._engine is None

    def _until_it_waits(self) -> None:
        self._our_turn.acquire()
        if self._engine is not None:
            self._come_back_in(self._waits)

    def _come_back_in(self, seconds: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_later(seconds, self.give)


class SteppedHandle(EngineHandle):
    """The engine of this process, on the clock of the loop that runs."""

    def __init__(self, runtime: VirtualRuntime, door: CommandPort | None = None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.turns = Turns(loop)
        runtime.pace.wall = runtime.wall = loop.time
        runtime.pace.wake = self.turns
        super().__init__(lambda _stack: runtime, door, loop.time)

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        self._on_news = on_news
        self.turns.begin(self._thread)

    def _live(self) -> None:
        super()._live()
        self.turns.end()

    def close(self, reason: str, timeout: float) -> bool:
        self.leave(reason)
        while not self.turns.is_over():
            self.turns.give()
        return True


class WiredHandle(SteppedHandle):
    """The same engine as through its socket: commands and pictures cross as bytes, a picture whole once and then as its
    changes."""

    _drawn: DeskView | None = None

    def send(self, command: Command) -> None:
        super().send(decode_command(encode(command)))

    def _draw(self, now: float) -> None:
        before, shown = self._drawn, self.view
        super()._draw(now)
        if not isinstance(self.view, DeskView):
            return
        self._drawn = self.view
        if before is None or not isinstance(shown, DeskView):
            self.view = decode_view(encode(self.view))
        else:
            self.view = apply_changes(shown, encode_changes(changes(before, self._drawn)), DeskView)
