"""Where a price stands in a chart, which prices are written at its edge, and which bars have room.

Scales step: they stay as they are while new bars still fit, so that a chart does not move with every bar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.model.instrument import STOCK_TICKS

DOTS_DOWN, DOTS_ACROSS = 4, 2
"""Dots of one cell."""
LINES_A_LABEL = 4
"""Lines between two prices at the edge, about."""
CELLS_A_LABEL = 9
"""Cells between two times at the foot, at least."""


def nice(step: Decimal, least: Decimal) -> Decimal:
    """The next of 1, 2, 5 times a power of ten that is not smaller."""
    wanted = max(step, least)
    power = Decimal(1).scaleb(wanted.adjusted())
    return next(power * times for times in (1, 2, 5, 10) if power * times >= wanted)


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices from `low` at the foot to `high` at the head of `lines` lines, both multiples of half a `step`."""

    low: Decimal
    high: Decimal
    step: Decimal
    lines: int

    @classmethod
    def of(cls, prices: Iterable[Decimal], lines: int) -> PriceScale:
        known = sorted(prices)
        least, most = known[0], known[-1]
        step = nice((most - least) * LINES_A_LABEL / max(1, lines), STOCK_TICKS.at(most))
        half = step / 2
        low = (least / half).to_integral_value(ROUND_FLOOR) * half
        high = (most / half).to_integral_value(ROUND_CEILING) * half
        return cls(low, high if high > low else low + step, step, lines)

    def dot_of(self, price: Decimal) -> int:
        """From the head; what is beyond an edge stands at it."""
        last = self.lines * DOTS_DOWN - 1
        return max(0, min(last, round((self.high - price) / (self.high - self.low) * last)))

    def half_of(self, price: Decimal) -> int:
        """The same in half lines."""
        return self.dot_of(price) // (DOTS_DOWN // 2)

    def line_of(self, price: Decimal) -> int:
        return self.dot_of(price) // DOTS_DOWN

    def labels(self) -> list[Decimal]:
        """The multiples of the step between the edges."""
        first = (self.low / self.step).to_integral_value(ROUND_CEILING)
        count = int((self.high - first * self.step) / self.step)
        return [(first + number) * self.step for number in range(count + 1)]


@dataclass(frozen=True, slots=True)
class Window:
    """Which bars are shown: from `first` up to `end`, without it."""

    first: int
    end: int

    @classmethod
    def of(cls, count: int, room: int, under: int | None) -> Window:
        """The newest; it moves by a quarter of its room, not with every bar, and back to one under the crosshair."""
        step = max(1, room // 4)
        first = max(0, -(-(count - room) // step) * step)
        if under is not None and under < first:
            first = under // step * step
        return cls(first, min(count, first + room))
