"""Proof that the terminal drew a frame: requests behind the frames, and their answers (OP-04).

The kernel, ssh and tmux accept bytes that they have not delivered yet; only the terminal's own answer proves that a
frame was drawn. The request is a device status report: its answer is no key's sequence, unlike that of `CSI 6n`, which
can be a modified F3. Answers come in the order of the requests. Pure; every call passes the time.
"""

from __future__ import annotations

from collections import deque

REQUEST = "\x1b[5n"
ANSWER = "\x1b[0n"

PATIENCE = 0.5
"""Time-out in seconds for a terminal that never answered; after it frames count by time."""

LATE_AFTER = 1.0
"""Seconds beyond the usual round trip after which a frame counts as stuck, and input as blind."""

GIVES_UP_AFTER = 1.5
"""Seconds after which a terminal with input but without answers has stopped answering."""

WATCH = 0.5
"""Seconds between two requests while something on the screen may be confirmed."""

FARTHEST = 3.0
"""The maximum plausible round trip in seconds; a longer one was a stall."""

KEPT = 8


class Proofs:
    """The requests and answers of one terminal.

    Attributes
    ----------
    is_given
        Whether this terminal answers; None while unknown.
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
        """Note a written request; return its number."""
        self._asked += 1
        self._asked_at = at
        self._last_asked.append((self._asked, at))
        self._waiting.append(at)
        return self._asked

    def answer(self, at: float) -> None:
        """Note the answer to the oldest request; without a request it is ignored."""
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
        """Whether to ask again, to check that the link still works. A terminal that does not answer is not asked."""
        return not self._waiting and self.is_given is True and now - self._asked_at >= WATCH

    def answered_at(self, number: int) -> float | None:
        """When this request, or a later one, was answered; otherwise None."""
        return next((at for answered, at in self._answers if answered >= number), None)

    def drawn_by_time(self, number: int, now: float) -> float | None:
        """When a terminal without answers has drawn the output before this request; None while that is in the future.

        One that answered before and has stopped is assumed as far away as its slowest answer; a late answer shows a
        stall, not the distance.
        """
        asked_at = next((at for asked, at in self._last_asked if asked == number), now)
        there = asked_at + max((trip for trip in self._trips if trip <= min(self._limit(), FARTHEST)), default=0.0)
        return there if now >= there else None

    def give_patience_an_end(self, now: float) -> None:
        """Stop waiting for a terminal that never answered, after its time-out."""
        if self.is_given is None and self._waiting and now - self._waiting[0] > PATIENCE:
            self.is_given = False

    def is_late(self, now: float) -> bool:
        """Whether an answer of a terminal that answers is overdue."""
        return bool(self._waiting) and self.is_given is True and now - self._waiting[0] > self._limit()

    def is_blind(self, now: float) -> bool:
        """Whether input now was typed at a view that may be outdated. Called for each key."""
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
        """Whether an answer due between the two instants came too late, or has not come."""
        gaps = [*self._gaps]
        if self.is_late(until):
            gaps.append((self._waiting[0], until))
        return any(start < until and end > since for start, end in gaps)

    def _limit(self) -> float:
        return LATE_AFTER + (min(self._trips) if self._trips else 0.0)
