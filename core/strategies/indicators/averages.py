"""Mean and standard deviation of a window."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from operator import mul

from core.model.values import ZERO


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
