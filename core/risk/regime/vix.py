"""The level of the VIX, with hysteresis (RK-19): it rises at once, and falls a point under the border."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from core.model.regime import DailyValue, VixLevel, VixReading
from core.settings.regime import RegimeSettings


@dataclass(frozen=True, slots=True)
class VixLevels:
    """The borders between the levels, in points."""

    low_under: Decimal
    elevated_from: Decimal
    high_over: Decimal


def levels_of(settings: RegimeSettings) -> VixLevels:
    return VixLevels(settings.vix_low, settings.vix_elevated, settings.vix_high)


USUAL = levels_of(RegimeSettings())
"""The default borders; the value on the disk, shared by every process, is measured by them."""
BAND = Decimal(1)
"""Points under a border before the level below it counts.

Our choice: from one close to the next the VIX moves 0.7 points in the median (2008 to 2026), so that a point is more
than a usual day; with it the level changes a third less often.
"""
ORDER = tuple(VixLevel)
CLOSES = 10
"""Trading days that a reading reports; the settings ask for no more (ST-10)."""


def plain_level(value: Decimal, levels: VixLevels = USUAL) -> VixLevel:
    """Return the level by the borders alone: low < 15, normal 15 to 20, elevated 20 to 30, high > 30 by default."""
    if value > levels.high_over:
        return VixLevel.HIGH
    if value >= levels.elevated_from:
        return VixLevel.ELEVATED
    return VixLevel.LOW if value < levels.low_under else VixLevel.NORMAL


def level_after(value: Decimal, before: VixLevel | None, levels: VixLevels = USUAL) -> VixLevel:
    """Return the level after a new value, given the level before; None if there was none."""
    level = plain_level(value, levels)
    if before is None:
        return level
    held = min(before, plain_level(value + BAND, levels), key=ORDER.index)
    return max(level, held, key=ORDER.index)


def can_leave(value: Decimal, level: VixLevel) -> bool:
    """Return whether a value can result in the level: by the borders, or by a fall of less than a point under it."""
    return level in (plain_level(value), *(level_after(value, before) for before in VixLevel))


def by_levels(reading: VixReading, levels: VixLevels) -> VixReading:
    """Return the reading at the level of its last closes by these borders; unchanged for the default ones."""
    return reading if levels == USUAL else at_levels(reading, levels)


def at_levels(reading: VixReading, levels: VixLevels) -> VixReading:
    """Return the reading at the level of its last closes by these borders, whatever borders it was measured by."""
    again = last_reading(reading.closes or (DailyValue(reading.measured_on, reading.value),), levels)
    return reading if again is None else replace(reading, level=again.level)


def last_reading(history: Iterable[DailyValue], levels: VixLevels = USUAL) -> VixReading | None:
    """Return the newest reading; None if the history is empty."""
    last = deque(readings(history, levels), maxlen=1)
    return last[0] if last else None


def readings(history: Iterable[DailyValue], levels: VixLevels = USUAL) -> Iterator[VixReading]:
    """Yield each day's value with its level, in order of time."""
    level: VixLevel | None = None
    closes: deque[DailyValue] = deque(maxlen=CLOSES)
    for day in history:
        level = level_after(day.value, level, levels)
        closes.append(day)
        yield VixReading(day.value, day.day, level, tuple(closes))
