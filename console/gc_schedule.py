"""Run full garbage collections while nobody is typing.

A full collection stops all threads, including the engine's and the one that reads the kill chord. Measured in a desk
that opens and closes dialogs: 60 to 170 ms every 2 to 3 s at Python's choice, the slowest arrow key and chord of each
hundred. Here the time is chosen; small collections run as usual.
"""

from __future__ import annotations

import gc

from textual._styles_cache import StylesCache

EVERY = 60.0
"""Seconds between two collections while the keyboard rests."""
RESTED = 5.0
"""Seconds without a key that count as rest."""
AT_MOST = 600.0
"""Seconds after which a collection runs even during typing, so that memory does not grow all day."""
LEFT_TO_PYTHON = 100_000
"""Middle-generation collections before Python runs a full one: some 700 million objects, a day's worth."""


class GcSchedule:
    """`heard` notes every key, `look` runs in every frame; `now` is the console's clock."""

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._done_at = now

    def heard(self, at: float) -> None:
        self._heard_at = max(at, self._heard_at)

    def look(self, now: float) -> bool:
        """Collect if due; return whether it ran."""
        since = now - self._done_at
        if since < EVERY or (now - self._heard_at < RESTED and since < AT_MOST):
            return False
        self._done_at = now
        StylesCache.get_inner_outer.cache_clear()  # it holds the lines of the last thousand widgets, closed ones too
        gc.collect()
        return True


def choose_moments() -> None:
    """For the whole process: run no full collection except those of `GcSchedule`."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, LEFT_TO_PYTHON)
