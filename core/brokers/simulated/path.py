"""The path through a bar: open at :00, the worse extreme at :20, the other at :40, close at :59.

A bar longer than a minute is walked the same way, each point at the same fraction of it. Each order has its own worse
extreme: `BookedOrder.low_hurts`. `path_order.py` decides the displayed path of a bar, which a late order walks. A path
depends on its bar and that choice alone, so the result does not depend on how often, or in what steps, the exchange is
walked.
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
LAST = len(OFFSETS) - 1
"""The number of the close."""


def offsets_of(lasts: timedelta) -> Offsets:
    """Return the points of a bar of this length, after its start."""
    return OFFSETS if lasts == ONE_MINUTE else (OFFSETS[0], lasts / 3, lasts * 2 / 3, lasts * 59 / 60)


@dataclass(frozen=True, slots=True)
class Segment:
    """The price from one point to the next at `at`; at the open both are the open.

    Attributes
    ----------
    before
        At the open of a bar that continues the one before: that one's close. A price that comes from there passes the
        prices in between.
    since
        When the price was at `start`.
    number
        Of the point at which it ends, in its bar; None if it is not a whole part of a path.
    """

    at: datetime
    start: Price
    end: Price
    before: Price | None = None
    since: datetime | None = None
    number: int | None = None

    @classmethod
    def point(cls, at: datetime, price: Price) -> Segment:
        """Return the market at one price."""
        return cls(at, price, price)

    @property
    def low(self) -> Price:
        return min(self.start, self.end)

    @property
    def high(self) -> Price:
        return max(self.start, self.end)

    @property
    def is_close(self) -> bool:
        return self.number == LAST


@dataclass(frozen=True, slots=True)
class Path:
    """One bar, in the order in which its prices came."""

    bar: Bar
    prices: tuple[Price, Price, Price, Price]
    end: datetime
    offsets: Offsets = OFFSETS
    before: Price | None = None

    @classmethod
    def of(cls, bar: Bar, *, low_first: bool, lasts: timedelta = ONE_MINUTE, before: Price | None = None) -> Path:
        first, second = (bar.low, bar.high) if low_first else (bar.high, bar.low)
        return cls(bar, (bar.open, first, second, bar.close), bar.start + lasts, offsets_of(lasts), before)

    @property
    def is_low_first(self) -> bool:
        return self.prices[1] == self.bar.low

    def walked(self, *, low_first: bool) -> Path:
        """Return the same bar, in that order."""
        if low_first == self.is_low_first:
            return self
        return Path.of(self.bar, low_first=low_first, lasts=self.end - self.bar.start, before=self.before)

    @property
    def turns_at(self) -> datetime:
        """The time of the first extreme: until then both directions are the same."""
        return self.bar.start + self.offsets[1]

    def has_extreme_after(self, at: datetime, price: Price) -> bool:
        """Return whether an extreme at this price is still to come."""
        return any(
            self.prices[number] == price and self.bar.start + self.offsets[number] > at for number in range(1, LAST)
        )

    def is_open(self, at: datetime) -> bool:
        """Return whether `at` is inside the bar."""
        return self.bar.start <= at < self.end

    def last(self, at: datetime) -> tuple[datetime, Price]:
        """Return the newest point that is not after `at`; the open if `at` is before the bar."""
        passed = at - self.bar.start
        for offset, price in zip(reversed(self.offsets), reversed(self.prices), strict=True):
            if offset <= passed:
                return self.bar.start + offset, price
        return self.bar.start, self.bar.open

    def points_until(self, at: datetime) -> int:
        """Return the number of its points that are not after `at`."""
        passed = at - self.bar.start
        return sum(offset <= passed for offset in self.offsets)

    def segment(self, at: datetime) -> Segment | None:
        """Return the segment that ends exactly at `at`; None between points."""
        passed = at - self.bar.start
        return self._segment(self.offsets.index(passed)) if passed in self.offsets else None

    def segments(self, after: datetime) -> Iterator[Segment]:
        """Yield the segments that end later than `after`."""
        passed = after - self.bar.start
        for index, offset in enumerate(self.offsets):
            if offset > passed:
                yield self._segment(index)

    def _segment(self, index: int) -> Segment:
        at = self.bar.start + self.offsets[index]
        before, last = self.before if index == 0 else None, max(index - 1, 0)
        return Segment(at, self.prices[last], self.prices[index], before, self.bar.start + self.offsets[last], index)
