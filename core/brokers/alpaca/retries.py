"""Repeat a request that may be repeated: how often, after which wait, and by when (EX-15).

Jitter keeps many desks from retrying at once. If Alpaca says when to retry, it is then, or never if that is too late
for the caller. Stopping the desk ends the wait.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.io.http_requests import LIMITED, Reply, backoff
from core.io.wall_clock import utc_now
from core.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NoReply:
    """No reply, or an incomplete one."""

    reason: str


REPEATS = 3


BUDGET = 15.0
"""Seconds for a query and all its retries."""


FIRST_PAUSE = 0.25
"""Seconds; doubles at each retry."""


SHORTEST_TRY = 1.0
"""Seconds; with less time left no attempt starts."""


PASSING = frozenset({408, 425, LIMITED})


SERVER_ERRORS = 500


def is_passing(reply: Reply | NoReply) -> bool:
    """Return whether the same query may succeed a little later."""
    return isinstance(reply, NoReply) or reply.status in PASSING or reply.status >= SERVER_ERRORS


def is_passing_within_the_limit(reply: Reply | NoReply) -> bool:
    """Return the same, but not after a 429: the engine repeats what it paces, and knows how much is under way."""
    return is_passing(reply) and not (isinstance(reply, Reply) and reply.status == LIMITED)


class Timeouts:
    """Retries one query.

    Parameters
    ----------
    clock
        Monotonic seconds.
    pause
        Waits so many seconds; returns true if the desk stops meanwhile.
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

    def ask(
        self,
        question: Callable[[float], Reply | NoReply],
        ends: float | None = None,
        is_repeated: Callable[[Reply | NoReply], bool] = is_passing,
    ) -> Reply | NoReply:
        """Return the first usable answer, or the last failure.

        `question` gets the seconds that are left; `ends` is on this clock, None for the default budget from now on.
        """
        ends = self.until() if ends is None else ends
        for repeat in range(REPEATS + 1):
            reply = question(max(SHORTEST_TRY, ends - self._clock()))
            if repeat == REPEATS or not is_repeated(reply):
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
        return backoff(repeat + 1, self._chance(), FIRST_PAUSE)


def wait_asked_for(reply: Reply, now: datetime) -> float | None:
    """Return the seconds that the answer asks to wait (`Retry-After`, else `X-RateLimit-Reset`).

    None if it does not say.
    """
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
