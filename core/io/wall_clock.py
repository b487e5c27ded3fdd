"""This machine's clocks. Only adapters and the live runtime read them, and tests replace them in each."""

from __future__ import annotations

import time
from datetime import UTC, datetime

COUNTS_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux has a clock of its own that goes on in sleep; elsewhere (macOS) the monotonic clock of POSIX does."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def elapsed() -> float:
    """Return seconds on a clock that never goes back and, where the machine has one, goes on while it sleeps."""
    return time.monotonic() if COUNTS_SLEEP is None else time.clock_gettime(COUNTS_SLEEP)
