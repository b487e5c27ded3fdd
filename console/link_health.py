"""The health of both links, and whether the terminal shows exactly this ticket (OP-04)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen

from console.arming import Arming, ShownTicket
from console.client.access import LinkToEngine
from console.terminal.driver import TerminalLink
from console.terminal.writer import STALLED_AFTER


class WholeWay:
    """The combined state of the terminal's link and the engine's (OP-04)."""

    def __init__(self, terminal: TerminalLink, engine: LinkToEngine) -> None:
        self._terminal = terminal
        self._engine = engine

    @property
    def frames_skipped(self) -> int:
        return self._terminal.frames_skipped

    @property
    def last_drained_at(self) -> float:
        return self._terminal.last_drained_at

    @property
    def paint_is_proved(self) -> bool | None:
        return self._terminal.paint_is_proved

    @property
    def doubt(self) -> str | None:
        return self._engine.doubt or self._terminal.doubt

    def had_gap(self, since: float, until: float) -> bool:
        return self._engine.had_gap(since, until) or self._terminal.had_gap(since, until)

    def ask_for_proof(self) -> int:
        return self._terminal.ask_for_proof()

    def painted_at(self, question: int) -> float | None:
        return self._terminal.painted_at(question)

    def keep_watch(self) -> None:
        self._terminal.keep_watch()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A frame with the content, passed to the link.

    Attributes
    ----------
    skipped
        Frames that the link had skipped before; one more may be this one.
    question
        The terminal query sent after it.
    """

    shown: ShownTicket
    skipped: int
    at: float
    question: int


class Painted:
    """Tells `Arming` when the content was painted, and disarms it if a stalled link may no longer show it (OP-04)."""

    def __init__(self, arming: Arming, link: Callable[[], TerminalLink], now: Callable[[], float]) -> None:
        self.arming = arming
        self._link = link
        self._now = now
        self._drawing: Drawing | None = None
        self._painted_at = 0.0
        self._is_waiting_for_a_frame = False
        self._ran_at = now()

    def must_ask(self, shown: ShownTicket) -> bool:
        """Return whether to wait for the next frame because none has shown this yet."""
        if self._is_waiting_for_a_frame or self.arming.is_painted(shown):
            return False
        return self._drawing is None or self._drawing.shown != shown

    def asked(self) -> int:
        """Wait for the next frame; return the number of skipped frames."""
        self._is_waiting_for_a_frame = True
        return self._link().frames_skipped

    def drew(self, shown: ShownTicket, skipped: int, is_whole: bool) -> None:
        """Note that a frame with the content was passed to the link.

        `is_whole` is false if another screen covers it, or it was laid out for another size than the terminal's.
        """
        self._is_waiting_for_a_frame = False
        if is_whole:
            self._drawing = Drawing(shown, skipped, self._now(), self._link().ask_for_proof())

    def look(self) -> bool:
        """Arm from the time at which the terminal confirmed the paint, while the link moves.

        Return True if the frame was skipped and must be drawn again.
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
            return False  # it is under way; a stalled link is not asked
        if link.frames_skipped != drawing.skipped:
            self._drawing = None
            return True
        if (painted_at := link.painted_at(drawing.question)) is not None:
            self.arming.paint(drawing.shown, painted_at)
            self._painted_at = drawing.at
        return False

    def see_whether_it_ran(self) -> None:
        """Disarm if the desk itself was stalled, for example on a machine that slept."""
        now = self._now()
        if now - self._ran_at > STALLED_AFTER:
            self.forget()
        self._ran_at = now

    def forget(self) -> None:
        """Disarm: it is not on the screen or not readable, so it must be painted again."""
        self.arming.forget()
        self._drawing = None


def ask_whether_drawn(screen: Screen[None], painted: Painted, shown: ShownTicket) -> None:
    """Check after the next frame that it was drawn, if no frame has shown it yet."""
    if painted.must_ask(shown):
        skipped = painted.asked()
        screen.call_after_refresh(
            lambda: painted.drew(shown, skipped, screen.is_active and screen.size == screen.app.size)
        )
