"""What the desk asks of the terminal's link: when a picture has left, and whether the link stood still (OP-04)."""

from __future__ import annotations

import time
from typing import Protocol

from console.driver import KeyturnDriver


class Link(Protocol):
    @property
    def frames_skipped(self) -> int:
        """Frames that were never sent."""

    @property
    def last_drained_at(self) -> float:
        """When the terminal last had everything; now, while it has. Seconds of time.monotonic."""

    def had_gap(self, since: float, until: float) -> bool:
        """Whether a frame gap over 1 s lies between two instants of time.monotonic."""


class NoLink:
    """A driver without a terminal: it draws at once and never stands still."""

    frames_skipped = 0

    @property
    def last_drained_at(self) -> float:
        return time.monotonic()

    def had_gap(self, since: float, until: float) -> bool:
        return False


NO_LINK = NoLink()


def link_of(driver: object) -> Link:
    return driver if isinstance(driver, KeyturnDriver) else NO_LINK
