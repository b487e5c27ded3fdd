"""Decide whether a confirming key counts (OP-04): the keys, the paint of exactly this ticket, and both links.

`Keyboard` and `Arming` are pure: every call brings its time.

A key counts if all of these hold:

- exactly this ticket was on the screen for the confirmation delay;
- there was no other input for that long;
- no frame gap lay in between;
- no other key follows at once, because a pasted burst comes in a row and a person's key alone;
- the key before it was another one, or is longer ago than any keyboard waits before it repeats. A key held since before
  the ticket was readable never counts, at any repeat rate;
- it cannot be the end of an escape sequence that a link cut. Other cut sequences never get here
  (`console.terminal.scanner`).

Times are seconds on the console's monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable

from console.client.access import LinkToEngine
from console.terminal.driver import TerminalLink
from console.terminal.keys import OPEN
from console.terminal.writer import STALLED_AFTER
from core.model.lazy_dataclass import dataclass

OPENS_AFTER = 0.4
"""Confirmation delay in seconds for an order that opens or adds."""
REDUCES_AFTER = 0.2
"""The same for an order that only reduces."""
ALONE_FOR = 0.15
"""Seconds that must follow a confirming key without another; pastes and stalled links deliver keys faster."""
HELD_FOR = 2.0
"""Seconds within which the same key may still be held.

The longest repeat delay of a system is 1.8 s on macOS (Windows and the Linux console: 1 s), and no repeat rate is as
slow.
"""

CUT_FOR = 3.5
"""Seconds after an escape, and after what may go on with it, within which a link may bring the rest of a sequence."""
PASSES_AFTER = 0.6
"""Seconds after an escape from which a key that only stages is accepted, once the terminal has answered the query sent
at the escape: whatever it sent before that has arrived before its answer."""
LONGEST_CUT = 40
"""Longest rest of a cut sequence, in keys."""


class Keyboard:
    """The latest input on any screen of the desk; shared, so that a key held across screens is recognised."""

    def __init__(self) -> None:
        self.heard_at = float("-inf")
        self.may_be_a_rest = False
        """Whether the last key may be the end of what an escape began and a link cut behind it."""
        self.begun_at = float("-inf")
        """When the key before the last one was heard."""
        self._key = ""
        self._key_at = float("-inf")
        self._begun = ""

    def hear(self, key: str | None, at: float) -> None:
        """Note a key by its character; None is a click or paste, which interrupts the delay but releases no key."""
        self.heard_at = max(at, self.heard_at)
        if key is not None:
            begun = self._begun if self.heard_at - self._key_at < CUT_FOR else ""
            self.may_be_a_rest = begun != ""
            self.begun_at = self._key_at
            self._begun = next((it for it in (begun + key, key) if OPEN.fullmatch(it) and len(it) <= LONGEST_CUT), "")
            self._key, self._key_at = key.casefold(), self.heard_at

    @property
    def has_begun(self) -> bool:
        """Whether the last key may be the beginning of a sequence whose rest is on its way."""
        return self._begun != ""

    def quiet_from(self, key: str, silence: float) -> float:
        """Return the time from which this key, pressed after a silence, is a new press."""
        held_until = self._key_at + HELD_FOR if key.casefold() == self._key else float("-inf")
        cut_until = self._key_at + CUT_FOR if self._begun else float("-inf")
        return max(self.heard_at + silence, held_until, cut_until)


@dataclass(frozen=True, slots=True)
class ShownTicket:
    """The content of the screen: a ticket and its digest."""

    ticket: str
    digest: str


class Arming:
    """The arming of one ticket screen."""

    def __init__(self, keyboard: Keyboard) -> None:
        self._keyboard = keyboard
        self._painted: ShownTicket | None = None
        self._painted_at = 0.0
        self._turned: tuple[ShownTicket, float] | None = None

    def paint(self, shown: ShownTicket, at: float) -> None:
        """Note that the terminal has shown it completely since `at`; of repeated calls the first counts."""
        if shown != self._painted:
            self._painted, self._painted_at, self._turned = shown, at, None

    def forget(self) -> None:
        """Disarm: it is no longer on the screen or no longer valid, so it must be painted again."""
        self._painted = self._turned = None

    def hear(self, key: str | None, at: float) -> None:
        """Note a key, click or paste: the delay starts over, and a confirming key just before it does not count."""
        self._keyboard.hear(key, at)
        self._turned = None

    def is_painted(self, shown: ShownTicket) -> bool:
        return self._painted == shown

    @property
    def has_painted(self) -> bool:
        return self._painted is not None

    def seconds_left(self, shown: ShownTicket, key: str, silence: float, now: float) -> float | None:
        """Return the seconds until this key would count: 0 is armed, None is not painted yet."""
        if self._painted != shown:
            return None
        return max(0.0, self._painted_at + silence - now, self._keyboard.quiet_from(key, silence) - now)

    def turn(self, shown: ShownTicket, key: str, silence: float, at: float) -> bool:
        """Press the confirming key at `at`; return False if it is too early, then it interrupts the delay."""
        left = self.seconds_left(shown, key, silence, at)
        self.hear(key, at)
        if left is None or left > 0:
            return False
        self._turned = (shown, at)
        return True

    def is_turning(self) -> bool:
        """Return whether a key waits until no other has followed."""
        return self._turned is not None

    def take(self, shown: ShownTicket, now: float) -> bool:
        """Return once whether a key confirmed exactly this and no other key followed."""
        if self._turned is None or self._turned[0] != shown or now - self._turned[1] < ALONE_FOR:
            return False
        self._turned = None
        return True


# ── links and paint ──────────────────────────────────────────────────────────────────────────────────────────────────


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
