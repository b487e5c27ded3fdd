"""A rate limit for attaching desks: each attachment writes two records, and a program could say hello all day (OP-13).

Above the limit a connection is closed before anything is recorded; a desk retries. A halt or kill needs no desk.
"""

from __future__ import annotations

from collections import deque

NEW, BACK = 16, 64
"""Attaching and returning desks allowed within `WITHIN` seconds: as many as can be attached, and each four times."""
WITHIN = 20.0


class Arrivals:
    def __init__(self) -> None:
        self._new: deque[float] = deque(maxlen=NEW)
        self._back: deque[float] = deque(maxlen=BACK)

    def takes(self, now: float, *, is_back: bool) -> bool:
        """Whether one more may be attached now; if so, it is counted."""
        times = self._back if is_back else self._new
        if len(times) == times.maxlen and now - times[0] < WITHIN:
            return False
        times.append(now)
        return True
