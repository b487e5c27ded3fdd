"""Whether a confirming key counts (OP-04): the one place where that is judged. Pure; every call brings its instant.

A key counts when exactly this ticket was painted for the silence's length, the keyboard was silent for that long, no
frame gap lay between, and no other key follows at once: keys that repeat come in a row, a person's comes alone. So a
held key never counts, however long its keyboard waits before it repeats, and neither does a burst that was pasted.
Instants are seconds on the console's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

OPENS_AFTER = 0.4
"""Seconds of silence and of being painted, for an order that opens or adds."""
REDUCES_AFTER = 0.2
"""The same for an order that only reduces."""
ALONE_FOR = 0.15
"""Seconds that must follow a confirming key without another; the slowest keyboards repeat every 0.1 s."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was on the screen: a ticket, and the digest of what it shows."""

    ticket: str
    digest: str


class Arming:
    """One ticket screen's."""

    def __init__(self) -> None:
        self._painted: Shown | None = None
        self._painted_at = 0.0
        self._heard_at = float("-inf")
        self._turned: tuple[Shown, float] | None = None

    def paint(self, shown: Shown, at: float) -> None:
        """The terminal has a whole picture of it since `at`. Repeated for the same one, the first counts."""
        if shown != self._painted:
            self._painted, self._painted_at, self._turned = shown, at, None

    def forget(self) -> None:
        """It is not on the screen any more, or what it says no longer holds: it must be painted again."""
        self._painted = self._turned = None

    def hear(self, at: float) -> None:
        """Any key, click or paste: the silence begins anew, and a key turned just before was not alone."""
        self._heard_at = max(at, self._heard_at)
        self._turned = None

    def is_painted(self, shown: Shown) -> bool:
        return self._painted == shown

    @property
    def has_painted(self) -> bool:
        return self._painted is not None

    def seconds_left(self, shown: Shown, silence: float, now: float) -> float | None:
        """How long until a key would count: 0 is armed, None is not painted yet."""
        if self._painted != shown:
            return None
        return max(0.0, max(self._painted_at, self._heard_at) + silence - now)

    def turn(self, shown: Shown, silence: float, at: float) -> bool:
        """The confirming key, pressed at `at`. False: too early, and it breaks the silence like any other."""
        left = self.seconds_left(shown, silence, at)
        self.hear(at)
        if left is None or left > 0:
            return False
        self._turned = (shown, at)
        return True

    def is_turning(self) -> bool:
        """Whether a key waits to have been alone."""
        return self._turned is not None

    def take(self, shown: Shown, now: float) -> bool:
        """Whether a key on exactly this was turned and stayed alone; it is taken once."""
        if self._turned is None or self._turned[0] != shown or now - self._turned[1] < ALONE_FOR:
            return False
        self._turned = None
        return True
