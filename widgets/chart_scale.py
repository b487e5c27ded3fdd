"""Scales of a chart: the line of a price, the labelled prices, and the visible bars.

A scale changes in steps and stays while new bars fit, so the chart does not move with every bar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.model.instrument import STOCK_TICKS
from core.model.values import Price

DOTS_DOWN, DOTS_ACROSS = 4, 2
"""Dots of one cell."""
LINES_A_LABEL = 4
"""Approximate number of lines between two price labels."""
CELLS_A_LABEL = 9
"""Least number of cells between two time labels."""


def nice(step: Decimal, least: Decimal) -> Decimal:
    """Return the smallest of 1, 2 or 5 times a power of ten that is at least `step` and `least`."""
    wanted = max(step, least)
    power = Decimal(1).scaleb(wanted.adjusted())
    return next(power * times for times in (1, 2, 5, 10) if power * times >= wanted)


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices from `low` at the bottom to `high` at the top of `lines` lines, both multiples of half a `step`."""

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
        """Return the dot row from the top; a price beyond the scale is placed at its edge."""
        last = self.lines * DOTS_DOWN - 1
        return max(0, min(last, round((self.high - price) / (self.high - self.low) * last)))

    def half_of(self, price: Decimal) -> int:
        """Return the same in half lines."""
        return self.dot_of(price) // (DOTS_DOWN // 2)

    def spans(self, price: Decimal) -> bool:
        """Whether it lies between the edges."""
        return self.low <= price <= self.high

    def outermost_first(self, prices: Iterable[Price]) -> list[Price]:
        """Those that are farthest from the middle lead: at an edge the outer ones stand outside."""
        middle = (self.low + self.high) / 2
        return sorted(prices, key=lambda price: -abs(price - middle))

    def line_of(self, price: Decimal) -> int:
        return self.dot_of(price) // DOTS_DOWN

    def labels(self) -> list[Decimal]:
        """Return the multiples of the step between the edges."""
        first = (self.low / self.step).to_integral_value(ROUND_CEILING)
        count = int((self.high - first * self.step) / self.step)
        return [(first + number) * self.step for number in range(count + 1)]


@dataclass(frozen=True, slots=True)
class Window:
    """The range of visible bars: from `first` up to `end`, exclusive."""

    first: int
    end: int

    @classmethod
    def of(cls, count: int, room: int, under: int | None) -> Window:
        """Return the window of the newest bars, or one that contains the bar under the crosshair.

        It moves by a quarter of its width at a time, not with every bar.
        """
        step = max(1, room // 4)
        first = max(0, -(-(count - room) // step) * step)
        if under is not None and under < first:
            first = under // step * step
        return cls(first, min(count, first + room))
