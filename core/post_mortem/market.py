"""The recorded bars by symbol and day: the market around a trade."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.facts import BarClosed
from core.model.bar import ONE_MINUTE, Bar
from core.model.values import Price, Symbol
from core.ports import Recorded
from core.strategies.vwap import VwapState

AROUND = timedelta(minutes=15)
"""The period before and after a trade that is shown, with other proposals."""


@dataclass(frozen=True, slots=True)
class Minute:
    """A bar with the session's VWAP up to its end, USD."""

    bar: Bar
    vwap: Price | None


class Market:
    """`day_of` returns the trading day of an instant.

    Attributes
    ----------
    is_of_minutes
        False for daily bars: the engine hears each of them on a later day.
    """

    def __init__(self, records: Iterable[Recorded], day_of: Callable[[datetime], date]) -> None:
        self._day_of = day_of
        is_of_days = True
        bars: defaultdict[tuple[Symbol, date], dict[datetime, Bar]] = defaultdict(dict)
        for record in records:
            if isinstance(record.fact, BarClosed):
                bar = record.fact.bar
                day = day_of(bar.start)
                bars[bar.symbol, day][bar.start] = bar
                is_of_days &= day_of(record.at) > day
        self.is_of_minutes = not (bars and is_of_days)
        self._bars: defaultdict[Symbol, dict[date, tuple[Bar, ...]]] = defaultdict(dict)
        for (symbol, day), found in bars.items():
            self._bars[symbol][day] = tuple(found[start] for start in sorted(found))

    def around(self, symbol: Symbol, first: datetime, last: datetime) -> tuple[Minute, ...]:
        """Return the bars of the last instant's day around these, with VWAP from the day's first bar on."""
        told, measured = [], VwapState()
        for bar in self._of(symbol, self._day_of(last)):
            measured.volume += bar.volume
            measured.weighted += (bar.high + bar.low + bar.close) * bar.volume
            if first - AROUND <= bar.start <= last + AROUND:
                told.append(Minute(bar, measured.vwap))
        return tuple(told)

    def between(self, symbol: Symbol, first: datetime, last: datetime) -> list[Bar]:
        """Return the whole minutes between two instants, across days."""
        found: list[Bar] = []
        for day, bars in sorted(self._bars.get(symbol, {}).items()):
            if self._day_of(first) <= day <= self._day_of(last):
                starts = [bar.start for bar in bars]
                found += bars[bisect_left(starts, first) : bisect_right(starts, last - ONE_MINUTE)]
        return found

    def _of(self, symbol: Symbol, day: date) -> tuple[Bar, ...]:
        return self._bars.get(symbol, {}).get(day, ())
