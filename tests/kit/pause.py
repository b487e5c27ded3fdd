"""A pause on the clock of the event loop, which a test moves: `asyncio.sleep`, without the machine's time."""

from __future__ import annotations

import asyncio

from tests.kit import timeline


class MachineTimeError(Exception):
    """This loop keeps the machine's time: a test would really wait."""


async def pause(seconds: float, *, may_be_real: bool = False) -> None:
    """Wait for `seconds` of the loop's clock.

    `may_be_real` is for the loopback exchange, which also runs as a program, and for streams that a doctor leaves at
    their first word. Raises `MachineTimeError` elsewhere where no virtual clock is installed.
    """
    loop, woken = asyncio.get_running_loop(), asyncio.Event()
    if not (may_be_real or timeline.is_installed() or type(loop).time is not asyncio.BaseEventLoop.time):
        raise MachineTimeError(type(loop).__name__)
    timer = loop.call_later(seconds, woken.set)
    try:
        await woken.wait()
    finally:
        timer.cancel()
