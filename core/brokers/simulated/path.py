"""How a bar is walked: open at :00, the extreme that hurts at :20, the other at :40, close at :59.

A bar that lasts longer than a minute is walked alike, each point at the same part of it.

The low comes first unless we are short that symbol. A path follows from its bar and that one claim alone, so
it never matters how often, or in what steps, the exchange is asked to walk it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model.bar import ONE_MINUTE, Bar
from core.model.values import Price

Offsets = tuple[timedelta, timedelta, timedelta, timedelta]

OFFSETS = (timedelta(0), timedelta(seconds=20), timedelta(seconds=40), timedelta(seconds=59))
"""Of a minute."""


def offsets_of(lasts: timedelta) -> Offsets:
    """The points of a bar that lasts so long, after its start."""
    return OFFSETS if lasts == ONE_MINUTE else (OFFSETS[0], lasts / 3, lasts * 2 / 3, lasts * 59 / 60)


@dataclass(frozen=True, slots=True)
class Segment:
    """The price going from one point to the next at `at`; at the open both are the open."""

    at: datetime
    start: Price
    end: Price

    @property
    def low(self) -> Price:
        return min(self.start, self.end)

    @property
    def high(self) -> Price:
        return max(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Path:
    """One bar, in the order in which its prices came."""

    bar: Bar
    prices: tuple[Price, Price, Price, Price]
    end: datetime
    offsets: Offsets = OFFSETS

    @classmethod
    def of(cls, bar: Bar, *, low_first: bool, lasts: timedelta = ONE_MINUTE) -> Path:
        first, second = (bar.low, bar.high) if low_first else (bar.high, bar.low)
        return cls(bar, (bar.open, first, second, bar.close), bar.start + lasts, offsets_of(lasts))

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is inside the bar."""
        return self.bar.start <= at < self.end

    def last(self, at: datetime) -> tuple[datetime, Price]:
        """The newest point that is not after `at`; the open where `at` is before the bar."""
        passed = at - self.bar.start
        for offset, price in zip(reversed(self.offsets), reversed(self.prices), strict=True):
            if offset <= passed:
                return self.bar.start + offset, price
        return self.bar.start, self.bar.open

    def segment(self, at: datetime) -> Segment | None:
        """The segment that ends exactly at `at`; None between points."""
        passed = at - self.bar.start
        return self._segment(self.offsets.index(passed)) if passed in self.offsets else None

    def segments(self, after: datetime) -> Iterator[Segment]:
        """The segments that end later than `after`."""
        passed = after - self.bar.start
        for index, offset in enumerate(self.offsets):
            if offset > passed:
                yield self._segment(index)

    def _segment(self, index: int) -> Segment:
        at = self.bar.start + self.offsets[index]
        return Segment(at, self.prices[max(index - 1, 0)], self.prices[index])
