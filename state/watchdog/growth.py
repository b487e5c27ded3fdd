"""The growth of memory in bytes a day: equal hours are compared, so that a daily cycle does not count.

The lowest reading of each hour counts. Each hour is compared with the same hour of every other day of the last seven
that the same process saw, the difference is divided by the days between them, and the median of all these slopes is the
growth (the seasonal Kendall slope estimator: Hirsch, Slack and Smith 1982). A single step, such as a late import, moves
the median little; a leak moves all of it. The first hour of a process is warm-up and left out. There is no result
before three days of hours with 24 slopes between them; restarts in between do not begin anew.

A large leak need not wait for that: what a process gained in its first day, from its second hour on, if each hour was
higher than the one before.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median

HOUR = 3600.0
HOURS_A_DAY = 24
WARM_UP_HOURS = 1
FEWEST_HOURS = 3 * HOURS_A_DAY
FEWEST_SLOPES = 24
FIRST_HOURS = 3
KEPT_HOURS = 7 * HOURS_A_DAY


class Growth:
    """The growth of one process after the other. Times are of any monotonic clock."""

    def __init__(self, began_at: float) -> None:
        self._first_at = began_at
        self._runs: list[dict[int, int]] = []
        """Of each process the lowest reading by hour, counted from the first one's start."""
        self._slopes: list[float] = []
        self.begin(began_at)

    def begin(self, at: float) -> None:
        """Start with the next process; what was measured before still counts."""
        self._began_at = at
        self._hour = -1
        self._slopes = []
        self._rise: int | None = None
        self._runs.append({})

    def add(self, at: float, resident: int) -> None:
        """Add a reading."""
        of_process, hour = int((at - self._began_at) // HOUR), int((at - self._first_at) // HOUR)
        if hour > self._hour:
            self._hour = hour
            self._drop(hour - KEPT_HOURS)
            self._slopes = [slope for run in self._runs for slope in _slopes(run)]
            self._rise = _rise(list(self._runs[-1].values()))
        if of_process >= WARM_UP_HOURS:
            lowest = self._runs[-1]
            lowest[hour] = min(resident, lowest.get(hour, resident))

    def a_day(self) -> float | None:
        """Bytes a day over the complete hours; None while there are too few."""
        spans = (max(run) - min(run) + (run is not self._runs[-1]) for run in self._runs if run)
        is_enough = len(self._slopes) >= FEWEST_SLOPES and sum(spans) >= FEWEST_HOURS
        return median(self._slopes) if is_enough else None

    def rise(self) -> int | None:
        """Bytes gained since the process's second hour if every complete hour since was higher; else 0.

        None of too few hours, and after its first day.
        """
        return self._rise

    def _drop(self, before: int) -> None:
        kept = [{hour: lowest for hour, lowest in run.items() if hour >= before} for run in self._runs]
        self._runs = [*(run for run in kept[:-1] if run), kept[-1]]


def _slopes(hours: dict[int, int]) -> list[float]:
    return [
        (hours[later] - lowest) / days
        for hour, lowest in hours.items()
        for days in range(1, KEPT_HOURS // HOURS_A_DAY)
        if (later := hour + days * HOURS_A_DAY) in hours
    ]


def _rise(lowest: list[int]) -> int | None:
    if not FIRST_HOURS < len(lowest) < HOURS_A_DAY:
        return None
    return lowest[-1] - lowest[0] if all(a < b for a, b in pairwise(lowest)) else 0
