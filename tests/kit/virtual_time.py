"""An event loop whose clock is the test's: it jumps to the next timer as soon as nothing is left to do.

Nothing waits for the wall, and a busy machine changes nothing. Textual's timers, the console's clock and the engine's
pace all read this clock (`virtual_time`). While a thread of the loop's executor works the clock stands.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import textual._time
import textual._wait
import textual.app
import textual.pilot
from textual.pilot import Pilot

from tests.kit.pause import pause

FRAME = 0.02
"""Seconds after which Textual has drawn what changed."""
BEGINS = 1000.0
"""What the clock shows as a loop begins, in seconds."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Deterministic: the order of what happens depends on nothing but the test."""

    runs: ClassVar[VirtualLoop | None] = None
    """The one that runs now, for threads beside it."""

    def __init__(self) -> None:
        self.at = BEGINS
        self._waits_for_rest: list[asyncio.Future[None]] = []
        self._in_threads = 0
        super().__init__(_Selector(self))

    def run_forever(self) -> None:
        before, VirtualLoop.runs = VirtualLoop.runs, self
        try:
            super().run_forever()
        finally:
            VirtualLoop.runs = before

    def time(self) -> float:
        return self.at

    async def rest(self) -> None:
        """Return when all is done that can be done at this instant."""
        waits = self.create_future()
        self._waits_for_rest.append(waits)
        await waits

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        future.add_done_callback(self._has_ended)
        return future

    def _has_ended(self, _future: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def nothing_is_ready(self, seconds: float | None, select: Callable[[float | None], Any]) -> Any:
        """Called instead of a wait for `seconds`, or for ever."""
        if (heard := select(0)) or self._in_threads:
            return heard or select(None)
        if self._waits_for_rest:
            waits, self._waits_for_rest = self._waits_for_rest, []
            for future in waits:
                if not future.done():
                    future.set_result(None)
            return heard
        if seconds is None:
            return select(None)
        self.at += seconds
        return heard


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        select = super().select
        return select(0) if timeout is not None and timeout <= 0 else self._loop.nothing_is_ready(timeout, select)


class VirtualPolicy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> VirtualLoop:
        return VirtualLoop()


def now() -> float:
    """The clock of the loop that runs, in place of `time.monotonic`; any thread, as an engine's that tells its news."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        if VirtualLoop.runs is None:
            raise
        return VirtualLoop.runs.time()


async def rest(_shortest: float = 0, _longest: float = 1) -> None:
    """In place of Textual's `wait_for_idle`, which measures the processor against the wall: time to lay out and draw,
    and until all of that is done."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    await pause(FRAME)
    await loop.rest()


async def _is_at_rest(_pilot: Pilot[Any], _longest: float = 30.0) -> bool:
    """In place of the pilot's own, which has each widget of the screen answer a message: what is due now is done."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    await loop.rest()
    return True


def patched(patch: pytest.MonkeyPatch) -> None:
    """Textual keeps the time of the loop, and knows when it is idle."""
    patch.setattr(Pilot, "_wait_for_screen", _is_at_rest)
    patch.setattr(textual._time, "get_time", now)
    for module in (textual._wait, textual.app, textual.pilot):
        patch.setattr(module, "wait_for_idle", rest)
