"""How often desks come: each one that is counted writes two records, and a program could say hello all day (OP-13).

Whoever comes too often is hung up on before anything is recorded; a desk tries again by itself. A press needs no desk.
"""

from __future__ import annotations

from collections import deque

NEW, BACK = 16, 64
"""Desks that come, and that come back, within `WITHIN` seconds: as many as there can be, and each four times."""
WITHIN = 20.0


class Arrivals:
    def __init__(self) -> None:
        self._new: deque[float] = deque(maxlen=NEW)
        self._back: deque[float] = deque(maxlen=BACK)

    def takes(self, now: float, *, is_back: bool) -> bool:
        """Whether one more may be counted now; it is, where this is true."""
        times = self._back if is_back else self._new
        if len(times) == times.maxlen and now - times[0] < WITHIN:
            return False
        times.append(now)
        return True
