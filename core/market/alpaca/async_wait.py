"""Waiting in the loop: until a time, or until something changed; and several tasks that live and end together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

Result = TypeVar("Result")

LONGEST = timedelta(seconds=30)
"""A machine that slept, or whose clock was set, looks again after this."""
SHORTEST = timedelta(milliseconds=10)


class Naps:
    """Those who wait in one loop, by one clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Something changed: everybody looks again at what is due."""
        for nap in self._waiting:
            if not nap.done():
                nap.set_result(None)

    async def until(self, at: datetime | None) -> None:
        """Until then, until something changed, or for a while.

        `asyncio.wait_for` would lose a cancellation that comes together with the change.
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
    """All of them, until one ends or this is cancelled: then none of them runs on. Raises what the one raised."""
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
    """In a thread of a pool: one that hangs never keeps the loop from ending. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().run_in_executor(pool, act)
