"""Whether a confirming key counts (OP-04): the one place where that is judged. Pure; every call brings its instant.

A key counts when exactly this ticket was painted for the silence's length, the keyboard was silent for that long, no
frame gap lay between, no other key follows at once (a burst that was pasted comes in a row, a person's key alone), and
the key before it was another one or is longer ago than any keyboard waits before it repeats: so a key held since
before the ticket could be read never counts, at any rate of repeating. Nor does one that may be the end of what an
escape began and a link cut behind it; what is cut elsewhere never gets here (`console.terminal.scanner`). Instants are
seconds on the console's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.terminal.grammar import OPEN

OPENS_AFTER = 0.4
"""Seconds of silence and of being painted, for an order that opens or adds."""
REDUCES_AFTER = 0.2
"""The same for an order that only reduces."""
ALONE_FOR = 0.15
"""Seconds that must follow a confirming key without another: what a paste or a stalled link delivers comes faster."""
HELD_FOR = 2.0
"""Seconds within which the same key again may be the one that is still held: the longest wait before a key repeats that
a system offers is macOS's 1.8 s (Windows and the Linux console: 1 s), and no rate of repeating is as slow."""

CUT_FOR = 3.5
"""Seconds after an escape, and after what may go on with it, within which a link may bring the rest of a sequence."""
LONGEST_CUT = 40
"""Keys."""


class Keyboard:
    """What was typed last, on whatever screen: one for the whole desk, so that a key held across screens is known."""

    def __init__(self) -> None:
        self.heard_at = float("-inf")
        self.may_be_a_rest = False
        """Whether the last key may be the end of what an escape began and a link cut behind it."""
        self._key = ""
        self._key_at = float("-inf")
        self._begun = ""

    def hear(self, key: str | None, at: float) -> None:
        """A key by its character; None is a click or a paste, which breaks the silence and lets go of no key."""
        self.heard_at = max(at, self.heard_at)
        if key is not None:
            begun = self._begun if self.heard_at - self._key_at < CUT_FOR else ""
            self.may_be_a_rest = begun != ""
            self._begun = next((it for it in (begun + key, key) if OPEN.fullmatch(it) and len(it) <= LONGEST_CUT), "")
            self._key, self._key_at = key.casefold(), self.heard_at

    def quiet_from(self, key: str, silence: float) -> float:
        """From which instant on this key can be one that was pressed anew, after a silence."""
        held_until = self._key_at + HELD_FOR if key.casefold() == self._key else float("-inf")
        cut_until = self._key_at + CUT_FOR if self._begun else float("-inf")
        return max(self.heard_at + silence, held_until, cut_until)


@dataclass(frozen=True, slots=True)
class ShownTicket:
    """What was on the screen: a ticket, and the digest of what it shows."""

    ticket: str
    digest: str


class Arming:
    """One ticket screen's."""

    def __init__(self, keyboard: Keyboard) -> None:
        self._keyboard = keyboard
        self._painted: ShownTicket | None = None
        self._painted_at = 0.0
        self._turned: tuple[ShownTicket, float] | None = None

    def paint(self, shown: ShownTicket, at: float) -> None:
        """The terminal has a whole picture of it since `at`. Repeated for the same one, the first counts."""
        if shown != self._painted:
            self._painted, self._painted_at, self._turned = shown, at, None

    def forget(self) -> None:
        """It is not on the screen any more, or what it says no longer holds: it must be painted again."""
        self._painted = self._turned = None

    def hear(self, key: str | None, at: float) -> None:
        """Any key, click or paste: the silence begins anew, and a key turned just before was not alone."""
        self._keyboard.hear(key, at)
        self._turned = None

    def is_painted(self, shown: ShownTicket) -> bool:
        return self._painted == shown

    @property
    def has_painted(self) -> bool:
        return self._painted is not None

    def seconds_left(self, shown: ShownTicket, key: str, silence: float, now: float) -> float | None:
        """How long until this key would count: 0 is armed, None is not painted yet."""
        if self._painted != shown:
            return None
        return max(0.0, self._painted_at + silence - now, self._keyboard.quiet_from(key, silence) - now)

    def turn(self, shown: ShownTicket, key: str, silence: float, at: float) -> bool:
        """The confirming key, pressed at `at`. False: too early, and it breaks the silence like any other."""
        left = self.seconds_left(shown, key, silence, at)
        self.hear(key, at)
        if left is None or left > 0:
            return False
        self._turned = (shown, at)
        return True

    def is_turning(self) -> bool:
        """Whether a key waits to have been alone."""
        return self._turned is not None

    def take(self, shown: ShownTicket, now: float) -> bool:
        """Whether a key on exactly this was turned and stayed alone; it is taken once."""
        if self._turned is None or self._turned[0] != shown or now - self._turned[1] < ALONE_FOR:
            return False
        self._turned = None
        return True
