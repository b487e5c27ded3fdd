"""What the desk asks of the terminal's link: when a picture has left, and whether the link stood still (OP-04)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from console.terminal.driver import KeyturnDriver


class TerminalLink(Protocol):
    @property
    def frames_skipped(self) -> int:
        """Frames that were never sent."""

    @property
    def last_drained_at(self) -> float:
        """When the terminal last had everything; now, while it has. Seconds of the console's clock."""

    def had_gap(self, since: float, until: float) -> bool:
        """Whether a frame gap over 1 s lies between two instants of it."""

    @property
    def paint_is_proved(self) -> bool | None:
        """Whether this terminal says that it drew: then a picture counts from its answer on, else by time. None while
        that is not known."""

    @property
    def doubt(self) -> str | None:
        """Why a character typed now would be dropped, and for how long; None where it would not."""

    def ask_for_proof(self) -> int:
        """Asks behind everything that was written so far; the question's number."""

    def painted_at(self, question: int) -> float | None:
        """From when what was written before the question stood there; None while that is not known."""

    def keep_watch(self) -> None:
        """Repeated while something may be confirmed: a link that hides its stalls shows them."""


class NoTerminalLink:
    """A driver without a terminal: it draws at once and never stands still."""

    frames_skipped = 0
    paint_is_proved = True
    doubt = None

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    @property
    def last_drained_at(self) -> float:
        return self._now()

    def had_gap(self, since: float, until: float) -> bool:
        return False

    def ask_for_proof(self) -> int:
        return 0

    def painted_at(self, question: int) -> float | None:
        return self._now()

    def keep_watch(self) -> None:
        """Nothing stands still."""


def link_of(driver: object, now: Callable[[], float]) -> TerminalLink:
    return driver if isinstance(driver, KeyturnDriver) else NoTerminalLink(now)
