"""Whether the terminal has a whole picture of exactly this ticket or question, and how long the link moved since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen

from console.arming import Arming, ShownTicket
from console.terminal.link import TerminalLink
from console.terminal.writer import STALLED_AFTER


@dataclass(frozen=True, slots=True)
class Drawing:
    """A frame that holds it, handed to the link.

    Attributes
    ----------
    skipped
        The frames that the link had skipped before: one more, and this one may be it.
    question
        What the terminal was asked behind it.
    """

    shown: ShownTicket
    skipped: int
    at: float
    question: int


class Painted:
    """Tells `Arming` when it was painted, and makes it forget what a stalled link may not show any more (OP-04)."""

    def __init__(self, arming: Arming, link: Callable[[], TerminalLink], now: Callable[[], float]) -> None:
        self.arming = arming
        self._link = link
        self._now = now
        self._drawing: Drawing | None = None
        self._painted_at = 0.0
        self._is_waiting_for_a_frame = False
        self._ran_at = now()

    def must_ask(self, shown: ShownTicket) -> bool:
        """Whether the next frame is to be waited for: none has shown this yet."""
        if self._is_waiting_for_a_frame or self.arming.is_painted(shown):
            return False
        return self._drawing is None or self._drawing.shown != shown

    def asked(self) -> int:
        """The next frame is waited for; the frames that were skipped until now."""
        self._is_waiting_for_a_frame = True
        return self._link().frames_skipped

    def drew(self, shown: ShownTicket, skipped: int, is_whole: bool) -> None:
        """A frame that holds it was handed to the link; not whole where another screen lies over it, or where it was
        laid out for another size than the terminal's."""
        self._is_waiting_for_a_frame = False
        if is_whole:
            self._drawing = Drawing(shown, skipped, self._now(), self._link().ask_for_proof())

    def look(self) -> bool:
        """A picture counts from when the terminal proved that it drew it, and no longer than the link moves.

        True where the frame with it was skipped: it must be drawn again.
        """
        self._link().keep_watch()
        must_draw = self._follow()
        if self.arming.has_painted and self._link().had_gap(self._painted_at, self._now()):
            self.forget()
        return must_draw

    def _follow(self) -> bool:
        link, drawing = self._link(), self._drawing
        if drawing is None or self.arming.is_painted(drawing.shown):
            return False
        if link.last_drained_at < drawing.at:
            return False  # it is on its way; nothing is asked of a link that stands still
        if link.frames_skipped != drawing.skipped:
            self._drawing = None
            return True
        if (painted_at := link.painted_at(drawing.question)) is not None:
            self.arming.paint(drawing.shown, painted_at)
            self._painted_at = drawing.at
        return False

    def see_whether_it_ran(self) -> None:
        """A desk that stood still itself, as on a machine that slept, knows of no picture before."""
        now = self._now()
        if now - self._ran_at > STALLED_AFTER:
            self.forget()
        self._ran_at = now

    def forget(self) -> None:
        """It is not on the screen, or not to be read: it must be painted again."""
        self.arming.forget()
        self._drawing = None


def ask_whether_drawn(screen: Screen[None], painted: Painted, shown: ShownTicket) -> None:
    """After the next frame, where none has shown it yet: that frame holds it."""
    if painted.must_ask(shown):
        skipped = painted.asked()
        screen.call_after_refresh(
            lambda: painted.drew(shown, skipped, screen.is_active and screen.size == screen.app.size)
        )
