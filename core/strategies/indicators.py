"""Indicators that take one value at a time and keep only a window of the last values.

They are Decimal, as VWAP is: a price has few digits, so a sliding sum that adds the newest and subtracts the oldest
stays exact, and a desk that started late has exactly the state of one that had been running. For the same reason none
is smoothed exponentially: such an average depends on its first value for ever, and two starts would never quite agree.
Each is None until its window is full.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from operator import mul

from core.model.bar import Bar
from core.model.values import ZERO, Price


@dataclass(slots=True)
class Mean:
    """Simple moving average of the last `length` values (SMA)."""

    length: int
    values: deque[Decimal] = field(default_factory=deque)
    total: Decimal = ZERO

    def take(self, value: Decimal) -> None:
        values = self.values
        values.append(value)
        self.total += value - values.popleft() if len(values) > self.length else value

    @property
    def is_full(self) -> bool:
        """Whether it has a value, without the division."""
        return len(self.values) == self.length

    @property
    def value(self) -> Decimal | None:
        return self.total / self.length if self.is_full else None


@dataclass(slots=True)
class Deviation:
    """Mean and standard deviation of the last `length` values.

    It is the population's deviation, as in John Bollinger's bands: the window is the whole population, not a sample.
    Few bars need it, so the squares are summed on demand.
    """

    length: int
    mean: Mean

    @classmethod
    def over(cls, length: int) -> Deviation:
        return cls(length, Mean(length))

    def take(self, value: Decimal) -> None:
        self.mean.take(value)

    @property
    def is_full(self) -> bool:
        return self.mean.is_full

    @property
    def value(self) -> Decimal | None:
        """The difference of the sums is exact; only its root is rounded."""
        if not self.is_full:
            return None
        squares = sum(map(mul, self.mean.values, self.mean.values), ZERO)
        spread = self.length * squares - self.mean.total * self.mean.total
        return spread.sqrt() / self.length


HUNDRED = Decimal(100)
MIDDLE = Decimal(50)


@dataclass(slots=True)
class AverageRange:
    """Mean of the last `length` true ranges, USD (ATR).

    A true range starts at the close before (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978); the
    first bar has none. It is a plain mean, because Wilder's own never forgets.
    """

    length: int
    ranges: Mean
    close: Price | None = None

    @classmethod
    def over(cls, length: int) -> AverageRange:
        return cls(length, Mean(length))

    def take(self, bar: Bar) -> None:
        before, high, low = self.close, bar.high, bar.low
        if before is not None:
            self.ranges.take((before if before > high else high) - (before if before < low else low))
        self.close = bar.close

    @property
    def is_full(self) -> bool:
        return self.ranges.is_full

    @property
    def value(self) -> Decimal | None:
        return self.ranges.value


@dataclass(slots=True)
class _Extreme:
    """The extreme of a window, which is searched again only when the extreme has left it."""

    length: int
    values: deque[Decimal] = field(default_factory=deque)
    top: Decimal | None = None

    def _take(self, value: Decimal, pick: Callable[..., Decimal]) -> None:
        self.values.append(value)
        gone = self.values.popleft() if len(self.values) > self.length else None
        if self.top is None or gone == self.top:
            self.top = pick(self.values)
        else:
            self.top = pick(self.top, value)

    @property
    def value(self) -> Decimal | None:
        return self.top if len(self.values) == self.length else None


@dataclass(slots=True)
class Highest(_Extreme):
    """The highest of the last `length` values."""

    def take(self, value: Decimal) -> None:
        self._take(value, max)


@dataclass(slots=True)
class Lowest(_Extreme):
    """The lowest of the last `length` values."""

    def take(self, value: Decimal) -> None:
        self._take(value, min)


@dataclass(slots=True)
class Strength:
    """Relative strength index over the last `length` changes, 0 to 100, by plain sums (David Cutler's RSI).

    50 without any change.
    """

    length: int
    rises: Mean
    falls: Mean
    before: Decimal | None = None

    @classmethod
    def over(cls, length: int) -> Strength:
        return cls(length, Mean(length), Mean(length))

    def take(self, value: Decimal) -> None:
        if self.before is not None:
            change = value - self.before
            self.rises.take(max(change, ZERO))
            self.falls.take(max(-change, ZERO))
        self.before = value

    @property
    def value(self) -> Decimal | None:
        if len(self.rises.values) < self.length:
            return None
        both = self.rises.total + self.falls.total
        return HUNDRED * self.rises.total / both if both else MIDDLE


@dataclass(slots=True)
class Gain:
    """Rate of change over `length` bars, as a fraction of the value before them, which is above zero (ROC)."""

    length: int
    values: deque[Decimal] = field(default_factory=deque)

    def take(self, value: Decimal) -> None:
        self.values.append(value)
        if len(self.values) > self.length + 1:
            self.values.popleft()

    @property
    def value(self) -> Decimal | None:
        if len(self.values) <= self.length:
            return None
        return self.values[-1] / self.values[0] - 1
