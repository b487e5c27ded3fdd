"""The average true range of the last bars (ATR), as strategies use it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.bar import Bar
from core.model.values import Price
from core.strategies.indicators.averages import Mean

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
