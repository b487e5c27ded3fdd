"""Wait for what other threads do: in virtual time where a timeline is installed, by looking again in `tests/real`."""

from __future__ import annotations

from collections.abc import Callable

from tests.kit import timeline
from tests.real import waiting

TIMEOUT = 60.0
"""Seconds after which something that should have come is missing. Only a failure takes as long."""


def until(holds: Callable[[], object], what: str = "it did not come", seconds: float = TIMEOUT) -> None:
    """Return when this holds; fail after so many seconds."""
    if timeline.is_installed():
        timeline.timeline().until(holds, what, seconds)
    else:
        waiting.until(holds, what, limit=seconds)
