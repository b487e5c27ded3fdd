"""The console's clock under a test: the wall's, and what the test let pass at once."""

from __future__ import annotations

import time


class DeskClock:
    """`DeskApp.now`, in seconds; it never goes back."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def skip(self, seconds: float) -> None:
        self._ahead += seconds
