"""A call that a loop makes later: at most one waits at a time. In the loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LaterCall:
    """`act` is what is called."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def unless_waiting(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """One that waits already is kept."""
        if self._handle is None:
            self._handle = loop.call_later(seconds, self._run)

    def drop(self) -> None:
        """What waits is not called."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        self._handle = None
        self._act()
