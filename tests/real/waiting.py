"""Waiting for what a real process does. This is the only file of the tests that sleeps.

A case says what must happen in the end. `LIMIT` only bounds how long a failure takes: no case measures time by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT = 120.0
"""Seconds after which something that should have happened is missing."""
LOOK = 0.02
"""Seconds between two looks."""

T = TypeVar("T")


def until(
    condition: Callable[[], T],
    what: str | Callable[[], object] = "",
    meanwhile: Callable[[], object] | None = None,
    limit: float = LIMIT,
) -> T:
    """Wait until the condition is true, and return what it returned.

    `what` describes a failure: text, or a function that is called then. `meanwhile` replaces the sleep between two
    looks, for example with reading a terminal.
    """
    end = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"did not happen in {limit:g} s: {what() if callable(what) else what}")
        if meanwhile is None:
            pause(LOOK)
        else:
            meanwhile()
    return found


def pause(seconds: float) -> None:
    """For measurements and for programs that do nothing for a while; no assertion may depend on it."""
    time.sleep(seconds)
