"""The mean of a window, and how far its values stand from it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from core.model.values import ZERO


@dataclass(slots=True)
class Mean:
    """Simple moving average of the last `length` values (SMA)."""

    length: int
    values: deque[Decimal] = field(default_factory=deque)
    total: Decimal = ZERO

    def take(self, value: Decimal) -> None:
        self.values.append(value)
        self.total += value
        if len(self.values) > self.length:
            self.total -= self.values.popleft()

    @property
    def value(self) -> Decimal | None:
        return self.total / self.length if len(self.values) == self.length else None


@dataclass(slots=True)
class Deviation:
    """Mean and standard deviation of the last `length` values.

    The deviation is the population's, as John Bollinger's bands use it: the window is all there is, and no sample.
    """

    length: int
    mean: Mean
    squares: Mean

    @classmethod
    def over(cls, length: int) -> Deviation:
        return cls(length, Mean(length), Mean(length))

    def take(self, value: Decimal) -> None:
        self.mean.take(value)
        self.squares.take(value * value)

    @property
    def value(self) -> Decimal | None:
        """The difference of the sums is exact; only the root of it is rounded."""
        if len(self.mean.values) < self.length:
            return None
        spread = self.length * self.squares.total - self.mean.total * self.mean.total
        return spread.sqrt() / self.length
