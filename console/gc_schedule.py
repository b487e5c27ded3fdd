"""When what nobody holds any more is looked for: while no hand is on the keyboard.

A full collection stops every thread, the engine's and the one that reads the kill chord too: measured in a desk that
opens and closes dialogs, 60 to 170 ms every 2 to 3 s where Python chooses the moment, the slowest arrow key and chord
of each hundred. Here the moment is chosen; the small collections go on as ever.
"""

from __future__ import annotations

import gc

from textual._styles_cache import StylesCache

EVERY = 60.0
"""Seconds between two, where the keyboard rests."""
RESTED = 5.0
"""Seconds without a key that count as rest."""
AT_MOST = 600.0
"""Seconds after which it is done under a typing hand too: memory does not grow for a whole day."""
LEFT_TO_PYTHON = 100_000
"""Collections of the middle generation before Python does it unasked: some 700 million objects made, a day's worth."""


class GcSchedule:
    """Told of every key by `heard`, and of every frame by `look`; `now` is the console's clock."""

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._done_at = now

    def heard(self, at: float) -> None:
        self._heard_at = max(at, self._heard_at)

    def look(self, now: float) -> bool:
        """Whether it was done."""
        since = now - self._done_at
        if since < EVERY or (now - self._heard_at < RESTED and since < AT_MOST):
            return False
        self._done_at = now
        StylesCache.get_inner_outer.cache_clear()  # it holds every line of the last thousand widgets, closed ones too
        gc.collect()
        return True


def choose_moments() -> None:
    """For the whole process, from now on: no full collection but those of `GcSchedule`."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, LEFT_TO_PYTHON)
