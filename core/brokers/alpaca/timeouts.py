"""What may be asked again is, a few times and ever later: questions and cancels alone, never a submission (EX-15).

Jitter keeps many desks from coming back at once. Where Alpaca says when to come back, that is when, or not at all if it
is too late for whoever waits. A desk that leaves ends the waiting.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.brokers.alpaca.wire import LIMITED, NoReply, Reply
from core.io.wall_clock import utc_now

REPEATS = 3
BUDGET = 15.0
"""Seconds for a question and all its repetitions."""
FIRST_PAUSE = 0.25
"""Seconds; doubles at each repetition."""
SHORTEST_TRY = 1.0
"""Seconds; with less left nothing is begun."""
PASSING = frozenset({408, 425, LIMITED})
SERVER_ERRORS = 500


class Timeouts:
    """Repeats one question.

    Parameters
    ----------
    clock
        Seconds that never go back.
    pause
        Waits so many seconds; true where the desk leaves meanwhile.
    """

    def __init__(
        self,
        pause: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._leaving = threading.Event()
        self._pause = pause or self._leaving.wait
        self._clock = clock
        self._chance = chance
        self._now = now

    def leave(self) -> None:
        """End every pause; nothing is repeated from here on."""
        self._leaving.set()

    def ask(self, question: Callable[[float], Reply | NoReply], ends: float | None = None) -> Reply | NoReply:
        """The first answer that is one, or the last that was none.

        `question` is given the seconds that are left; `ends` is on this clock, a budget from now on where it is None.
        """
        ends = self.until() if ends is None else ends
        for repeat in range(REPEATS + 1):
            reply = question(max(SHORTEST_TRY, ends - self._clock()))
            if repeat == REPEATS or not is_passing(reply):
                return reply
            pause = self._pause_before(repeat, reply)
            if self._clock() + pause + SHORTEST_TRY > ends or self._pause(pause):
                return reply
        raise AssertionError("the loop returns")

    def until(self, seconds: float = BUDGET) -> float:
        return self._clock() + seconds

    def _pause_before(self, repeat: int, reply: Reply | NoReply) -> float:
        asked = wait_asked_for(reply, self._now()) if isinstance(reply, Reply) else None
        if asked is not None:
            return asked + self._chance() * FIRST_PAUSE
        longest = FIRST_PAUSE * 2.0**repeat
        return longest / 2 + self._chance() * longest / 2


def is_passing(reply: Reply | NoReply) -> bool:
    """Whether the same question may get another answer a little later."""
    return isinstance(reply, NoReply) or reply.status in PASSING or reply.status >= SERVER_ERRORS


def wait_asked_for(reply: Reply, now: datetime) -> float | None:
    """Seconds that the answer asks to wait (`Retry-After`, else `X-RateLimit-Reset`); None where it does not say."""
    after = reply.headers.get("Retry-After", "").strip()
    if after.isascii() and after.isdigit():
        return float(after)
    if after:
        try:
            at = parsedate_to_datetime(after)
        except ValueError:
            return None
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    reset = reply.headers.get("X-RateLimit-Reset", "").strip()
    if reply.status == LIMITED and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset) - now.timestamp())
    return None
