"""Wait for what other threads do: in virtual time where a timeline is installed, by looking again elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.kit import timeline

PATIENCE = 60.0
"""Seconds after which something that should have come is missing. Only a failure takes as long."""
LOOK = 0.02


def until(holds: Callable[[], object], what: str = "it did not come", seconds: float = PATIENCE) -> None:
    """Return when this holds; fail after so many seconds."""
    if timeline.is_installed():
        timeline.timeline().until(holds, what, seconds)
        return
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(LOOK)
