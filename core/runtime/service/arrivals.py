"""A rate limit for attaching desks: each attachment writes two records, and a program could say hello all day (OP-13).

Above the limit a connection is closed before anything is recorded; a desk retries. A halt or kill needs no desk.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

NEW, BACK = 16, 64
"""Attaching and returning desks allowed within `WITHIN` seconds: as many as can be attached, and each four times."""
WITHIN = 20.0


class Arrival(Enum):
    """The kinds of arrival. The desk that has control has its own limit."""

    NEW = "new"
    BACK = "back"
    HOLDER = "holder"


MOST = {Arrival.NEW: NEW, Arrival.BACK: BACK, Arrival.HOLDER: NEW}
"""The most arrivals of each kind within `WITHIN`."""


class Arrivals:
    def __init__(self) -> None:
        self._times = {arrival: deque[float](maxlen=most) for arrival, most in MOST.items()}

    def takes(self, now: float, arrival: Arrival) -> bool:
        """Whether one more may be attached now; if so, it is counted."""
        times = self._times[arrival]
        if len(times) == times.maxlen and now - times[0] < WITHIN:
            return False
        times.append(now)
        return True
