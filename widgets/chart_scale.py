"""Where a price and a minute stand in a chart, and which of them are written at its edges.

Scales step: they stay as they are while new bars still fit, so that a chart does not move with every bar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.model.instrument import STOCK_TICKS
from core.model.venues import HOME

DOTS_DOWN, DOTS_ACROSS = 4, 2
"""Dots of one cell."""
LINES_A_LABEL = 4
"""Lines between two prices at the edge, about."""
CELLS_A_LABEL = 9
"""Cells between two times at the foot, at least."""
MINUTES = (1, 2, 3, 5, 10, 15, 30, 60)
"""How many one column of dots may stand for."""
LABEL_MINUTES = (5, 10, 15, 30, 60, 120, 240)


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

    def line_of(self, price: Decimal) -> int:
        return self.dot_of(price) // DOTS_DOWN

    def labels(self) -> list[Decimal]:
        """The multiples of the step between the edges."""
        first = (self.low / self.step).to_integral_value(ROUND_CEILING)
        count = int((self.high - first * self.step) / self.step)
        return [(first + number) * self.step for number in range(count + 1)]


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Minutes from `start`, so many a column of dots."""

    start: datetime
    minutes: int
    cells: int

    @classmethod
    def of(cls, starts: Iterable[datetime], cells: int) -> TimeScale:
        known = list(starts)
        needed = int((known[-1] - known[0]).total_seconds()) // 60 + 1
        room = max(1, cells * DOTS_ACROSS)
        minutes = next((minutes for minutes in MINUTES if minutes * room >= needed), -(-needed // room))
        return cls(known[0], minutes, cells)

    def dot_of(self, at: datetime) -> int:
        """From the left."""
        dot = int((at - self.start).total_seconds()) // 60 // self.minutes
        return max(0, min(self.cells * DOTS_ACROSS - 1, dot))

    def labels(self) -> list[tuple[int, str]]:
        """The cell at which each begins, and its time on the market's clock."""
        a_cell = self.minutes * DOTS_ACROSS
        every = next((m for m in LABEL_MINUTES if m >= a_cell * CELLS_A_LABEL), LABEL_MINUTES[-1])
        local = HOME.local(self.start)
        past = (local.hour * 60 + local.minute) % every
        first = timedelta(minutes=(every - past) % every)
        offsets = (first + timedelta(minutes=every * n) for n in range(self.cells))
        placed = ((int(offset.total_seconds()) // 60 // a_cell, local + offset) for offset in offsets)
        return [(cell, f"{at:%H:%M}") for cell, at in placed if cell + 5 <= self.cells]
