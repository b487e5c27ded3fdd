"""The growth of memory in bytes a day: equal hours are compared, so that a daily cycle does not count.

The lowest reading of each hour counts. Each hour is compared with the same hour of every other day of the last seven,
the difference is divided by the days between them, and the median of all these slopes is the growth (the seasonal
Kendall slope estimator: Hirsch, Slack and Smith 1982). A single step, such as a late import, moves the median little; a
leak moves all of it. The first hour is warm-up and left out, and there is no result before three days of hours.
"""

from __future__ import annotations

from statistics import median

HOUR = 3600.0
HOURS_A_DAY = 24
WARM_UP_HOURS = 1
FEWEST_HOURS = 3 * HOURS_A_DAY
KEPT_HOURS = 7 * HOURS_A_DAY


class Growth:
    """The growth of one process since its start. Times are of any monotonic clock."""

    def __init__(self, began_at: float) -> None:
        self._began_at = began_at
        self._hour = -1
        self._lowest: dict[int, int] = {}
        self._a_day: float | None = None

    def add(self, at: float, resident: int) -> None:
        """Add a reading."""
        hour = int((at - self._began_at) // HOUR)
        if hour > self._hour:
            self._a_day = self._reckoned()
            self._hour = hour
            self._lowest = {h: lowest for h, lowest in self._lowest.items() if h >= hour - KEPT_HOURS}
        if hour >= WARM_UP_HOURS:
            self._lowest[hour] = min(resident, self._lowest.get(hour, resident))

    def a_day(self) -> float | None:
        """Bytes a day over the complete hours; None while there are too few."""
        return self._a_day

    def _reckoned(self) -> float | None:
        hours = self._lowest
        if not hours or max(hours) - min(hours) + 1 < FEWEST_HOURS:
            return None
        slopes = [
            (hours[later] - lowest) / days
            for hour, lowest in hours.items()
            for days in range(1, KEPT_HOURS // HOURS_A_DAY)
            if (later := hour + days * HOURS_A_DAY) in hours
        ]
        return median(slopes) if slopes else None
