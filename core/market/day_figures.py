"""A symbol's day so far: its last price, volume and course, from the received minutes (MD-06).

Bounded: the course has one close per five minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from core.model.bar import Bar
from core.model.values import ZERO, Price, Quantity

A_PART = 300
"""Seconds."""


@dataclass(slots=True)
class DayFigures:
    """The figures of one symbol.

    Attributes
    ----------
    until
        The end of its session, UTC.
    before
        The close of the session before, USD; None if unknown.
    last, last_at
        The close of the newest minute, and its end, UTC.
    volume
        Shares of the received minutes.
    """

    day: date
    until: datetime
    before: Price | None = None
    last: Price | None = None
    last_at: datetime | None = None
    volume: Quantity = field(default_factory=lambda: Quantity(ZERO))
    _first: datetime | None = None
    _parts: dict[int, tuple[datetime, Price]] = field(default_factory=dict)

    @property
    def course(self) -> tuple[Price, ...]:
        """The last close of each five minutes with a bar, oldest first."""
        return tuple(close for _, (_, close) in sorted(self._parts.items()))

    def take(self, bar: Bar) -> None:
        """Add the next minute; one that is not newer than the newest is not counted again."""
        if self.last_at is not None and bar.end <= self.last_at:
            return
        self._first = self._first or bar.start
        self.last, self.last_at = bar.close, bar.end
        self._count(bar)

    def take_earlier(self, bars: Iterable[Bar]) -> None:
        """Add minutes from before the first received one, from a history; each once."""
        before, seen = self._first, set[datetime]()
        for bar in bars:
            if (before is None or bar.start < before) and bar.start not in seen:
                seen.add(bar.start)
                self._count(bar)
                if self.last_at is None or bar.end > self.last_at:
                    self.last, self.last_at = bar.close, bar.end
        if seen:
            self._first = min(seen)

    def _count(self, bar: Bar) -> None:
        self.volume = Quantity(self.volume + bar.volume)
        part = int(bar.start.timestamp()) // A_PART
        told = self._parts.get(part)
        if told is None or told[0] < bar.start:
            self._parts[part] = (bar.start, bar.close)
