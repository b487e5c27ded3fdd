"""A clock that only the test moves, under everything that a desk does: the event loop, Textual's timers and events, the
console's own clock and the engine's. Hours pass in seconds, and the same seed gives the same desk, event by event.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any

from textual import _time

BEGIN = 1_000.0


class Clock:
    """Seconds since nothing in particular.

    Attributes
    ----------
    on_move
        Called at each new instant, before anything else happens at it.
    """

    def __init__(self) -> None:
        self.at = BEGIN
        self.on_move: Callable[[], None] = lambda: None
        self._settled: asyncio.Future[None] | None = None
        self._punctual: list[float] = []

    def now(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds
        self.on_move()

    async def settle(self) -> None:
        """Until nothing is left to do at this instant."""
        self._settled = asyncio.get_running_loop().create_future()
        await self._settled

    def call_punctually(self, seconds: float, act: Callable[..., None], *arguments: object) -> None:
        """What a thread of its own or the world does: no leap leaves it for later."""
        heappush(self._punctual, self.at + seconds)
        asyncio.get_running_loop().call_later(seconds, act, *arguments)

    async def leap(self, seconds: float) -> None:
        """A busy machine: this long none of the desk's timers runs, and then all of them at once."""
        end = self.at + seconds
        while self._punctual and self._punctual[0] <= end:
            self.move(max(0.0, heappop(self._punctual) - self.at))
            await self.settle()
        self.move(max(0.0, end - self.at))
        await self.settle()

    def nothing_left(self, seconds: float | None) -> None:
        """The loop would sleep now."""
        if self._settled is not None:
            settled, self._settled = self._settled, None
            if not settled.done():
                settled.set_result(None)
        elif seconds is None:
            raise RuntimeError("nothing will ever happen again")
        else:
            self.move(seconds)


class ClockedSelector(selectors.DefaultSelector):
    """Never waits: a wait is a step of the clock."""

    clock: Clock

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            self.clock.nothing_left(timeout)
        return ready


class ClockedLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        selector = ClockedSelector()
        selector.clock = clock
        self._moved = clock
        super().__init__(selector)

    def time(self) -> float:
        return self._moved.at


@contextmanager
def clocked_loop(clock: Clock) -> Iterator[ClockedLoop]:
    """The loop, and Textual on the same clock while it lasts."""
    real = _time.get_time
    loop = ClockedLoop(clock)
    _time.get_time = clock.now
    try:
        yield loop
    finally:
        _time.get_time = real
        loop.close()
