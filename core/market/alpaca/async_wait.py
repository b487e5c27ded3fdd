"""Waiting in an event loop: until a time or a change; and tasks that run and end together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

Result = TypeVar("Result")

LONGEST = timedelta(seconds=30)
"""Longest wait, so that a machine that slept, or whose clock was set, checks again."""
SHORTEST = timedelta(milliseconds=10)


class Naps:
    """Waiters in one loop, by one clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Wake all waiters after a change, so that they check for due work."""
        for nap in self._waiting:
            if not nap.done():
                nap.set_result(None)

    async def until(self, at: datetime | None) -> None:
        """Wait until a time, until a change, or for a while.

        `asyncio.wait_for` would lose a cancellation that coincides with the change.
        """
        span = LONGEST if at is None else min(max(at - self._now(), SHORTEST), LONGEST)
        nap: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(nap)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(span.total_seconds()):
                    await nap
        finally:
            self._waiting.discard(nap)


async def together(*acts: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends or this is cancelled; then cancel the rest. Raises the exception of the one that ended."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def in_thread(pool: ThreadPoolExecutor, seconds: float, act: Callable[[], Result]) -> Result:
    """Run in a pool's thread, so that a hanging call never keeps the loop from ending. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().run_in_executor(pool, act)
