"""The desk's interface to the terminal's link: when a frame was sent, and whether the link stalled (OP-04)."""

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
        """When the terminal last had all output; the current time while it has. Seconds of the console's clock."""

    def had_gap(self, since: float, until: float) -> bool:
        """Whether there was a frame gap over 1 s between two instants of that clock."""

    @property
    def paint_is_proved(self) -> bool | None:
        """Whether this terminal acknowledges drawing: then a frame counts from its answer on, otherwise by time.

        None while unknown.
        """

    @property
    def doubt(self) -> str | None:
        """Why a character typed now would be dropped, and for how long; otherwise None."""

    def ask_for_proof(self) -> int:
        """Request an acknowledgement behind all output so far; return the request's number."""

    def painted_at(self, question: int) -> float | None:
        """Return from when the output before the request was on the screen; None while unknown."""

    def keep_watch(self) -> None:
        """Call repeatedly while something may be confirmed: it reveals stalls of a link that hides them."""


class NoTerminalLink:
    """A driver without a terminal: it draws at once and never stalls."""

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
        """Do nothing: there are no stalls."""


def link_of(driver: object, now: Callable[[], float]) -> TerminalLink:
    return driver if isinstance(driver, KeyturnDriver) else NoTerminalLink(now)
