"""Strength of a price's rise: the relative strength index (RSI) and the rate of change."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from core.model.values import ZERO
from core.strategies.indicators.averages import Mean

HUNDRED = Decimal(100)
MIDDLE = Decimal(50)


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
