"""What the terminal is asked behind its frames, and what its answers prove: that it drew everything before (OP-04).

The kernel, ssh and tmux take bytes that they have not delivered yet; only the terminal's own answer says that a picture
stands there. The question is a device status report: its answer is no key's sequence, unlike that of `CSI 6n`, which
can be a modified F3. Answers come in the order of the questions. Pure; every call brings its instant.
"""

from __future__ import annotations

from collections import deque

REQUEST = "\x1b[5n"
ANSWER = "\x1b[0n"

PATIENCE = 0.5
"""Seconds in which a terminal that never answered may do so; then its pictures count by time."""

LATE_AFTER = 1.0
"""Seconds beyond the usual way there and back after which a picture counts as stuck, and what is typed as blind."""

GIVES_UP_AFTER = 1.5
"""Seconds after which a terminal that types, and still does not answer, has stopped answering."""

WATCH = 0.5
"""Seconds between two questions while something on the screen may be confirmed."""

FARTHEST = 3.0
"""Seconds there and back; nobody trades over a link as long as that, so a longer one was a stall."""

KEPT = 8


class Proofs:
    """One terminal's.

    Attributes
    ----------
    is_given
        Whether this terminal answers; None while that is not known.
    """

    def __init__(self) -> None:
        self.is_given: bool | None = None
        self._asked = 0
        self._waiting: deque[float] = deque()
        self._answers: deque[tuple[int, float]] = deque(maxlen=KEPT)
        self._trips: deque[float] = deque(maxlen=KEPT)
        self._gaps: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._asked_at = float("-inf")
        self._last_asked: deque[tuple[int, float]] = deque(maxlen=KEPT)
        self._blind_since: float | None = None

    def ask(self, at: float) -> int:
        """A question was written; its number."""
        self._asked += 1
        self._asked_at = at
        self._last_asked.append((self._asked, at))
        self._waiting.append(at)
        return self._asked

    def answer(self, at: float) -> None:
        """The oldest question is answered; an answer to none is somebody else's."""
        if not self._waiting:
            return
        asked_at = self._waiting.popleft()
        if at - asked_at > self._limit():
            self._gaps.append((asked_at, at))
        self._trips.append(at - asked_at)
        self._answers.append((self._asked - len(self._waiting), at))
        self.is_given = True
        self._blind_since = None

    def is_due(self, now: float) -> bool:
        """Whether to ask again, to know that the link still moves. A terminal that does not answer is let be."""
        return not self._waiting and self.is_given is True and now - self._asked_at >= WATCH

    def answered_at(self, number: int) -> float | None:
        """When this question, or one after it, was answered; None while none was."""
        return next((at for answered, at in self._answers if answered >= number), None)

    def drawn_by_time(self, number: int, now: float) -> float | None:
        """When a terminal that does not answer has drawn what was before this question; None while that is to come.

        One that answered before and has stopped may still lie as far away as its slowest answer did; an answer that
        came late tells of a stall, and not of how far it is.
        """
        asked_at = next((at for asked, at in self._last_asked if asked == number), now)
        there = asked_at + max((trip for trip in self._trips if trip <= min(self._limit(), FARTHEST)), default=0.0)
        return there if now >= there else None

    def give_patience_an_end(self, now: float) -> None:
        """A terminal that never answered has had its time; nothing of what it was sent waits any more."""
        if self.is_given is None and self._waiting and now - self._waiting[0] > PATIENCE:
            self.is_given = False

    def is_late(self, now: float) -> bool:
        """Whether a terminal that answers owes an answer for too long."""
        return bool(self._waiting) and self.is_given is True and now - self._waiting[0] > self._limit()

    def is_blind(self, now: float) -> bool:
        """Whether what is typed now was typed at a picture that may not be the present one. Asked for each key."""
        if not self.is_late(now):
            self._blind_since = None
            return False
        if self._blind_since is None:
            self._blind_since = now
        if now - self._blind_since <= GIVES_UP_AFTER:
            return True
        self.is_given = False
        self._waiting.clear()
        self._blind_since = None
        return False

    def had_gap(self, since: float, until: float) -> bool:
        """Whether an answer that was owed between the two instants came too late, or has not come."""
        gaps = [*self._gaps]
        if self.is_late(until):
            gaps.append((self._waiting[0], until))
        return any(start < until and end > since for start, end in gaps)

    def _limit(self) -> float:
        return LATE_AFTER + (min(self._trips) if self._trips else 0.0)
