"""A delayed call on a loop: at most one is pending. In the loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LaterCall:
    """`act` is the function to call."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def unless_waiting(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Schedule the call; a pending one is kept."""
        if self._handle is None:
            self._handle = loop.call_later(seconds, self._run)

    def drop(self) -> None:
        """Cancel the pending call."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        self._handle = None
        self._act()
