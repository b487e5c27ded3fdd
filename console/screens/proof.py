"""Whether exactly this picture of a screen has reached the terminal, and since when; told to an arming (OP-04)."""

from __future__ import annotations

import time

from console.arming import Arming, Shown
from console.screens.behind import Behind
from console.screens.layer import Dialog


class Proof:
    """One screen's. `ask` after each drawing, `look` at each tick."""

    def __init__(self, screen: Dialog, behind: Behind, arming: Arming) -> None:
        self.screen = screen
        self.behind = behind
        self.arming = arming
        self._drawn: tuple[Shown, int, float] | None = None
        self._is_drawing = False
        self._painted_at = 0.0

    def ask(self, shown: Shown) -> None:
        """After the next frame: that frame holds it."""
        is_known = self.arming.is_painted(shown) or (self._drawn is not None and self._drawn[0] == shown)
        if not self._is_drawing and not is_known:
            self._is_drawing = True
            self.screen.call_after_refresh(self._was_drawn, shown, self.behind.link.frames_skipped)

    def _was_drawn(self, shown: Shown, skipped: int) -> None:
        self._is_drawing = False
        self._drawn = (shown, skipped, time.monotonic())

    def look(self) -> None:
        """A picture counts from when the terminal had all of it, and no longer than the link moves."""
        link = self.behind.link
        if self._drawn is not None and not self.arming.is_painted(self._drawn[0]):
            shown, skipped, drawn_at = self._drawn
            if link.last_drained_at < drawn_at:
                return
            if link.frames_skipped != skipped:
                self._drawn = None
                self.screen.refresh()
            else:
                self.arming.paint(shown, self.behind.now())
                self._painted_at = drawn_at
        if self.arming.has_painted and link.had_gap(self._painted_at, time.monotonic()):
            self.forget()

    def forget(self) -> None:
        """It is not on the screen any more: it must be painted again."""
        self.arming.forget()
        self._drawn = None
