"""Cache of past bars by symbol and hour, so that overlapping requests reuse parts.

Only a finished hour with a settled last bar is kept; it expires, because bars may be revised (MD-04). Times are
arguments; nothing here makes a request.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.market.alpaca.timetable import settled
from core.messages.inputs import BarArrived
from core.model.values import Symbol

HOUR = timedelta(hours=1)
TIME_TO_LIVE = timedelta(hours=1)
MOST_HOURS = 20_000
"""A symbol's year has 2,000; beyond the limit the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class _Hour:
    bars: tuple[BarArrived, ...]
    kept_at: datetime


class BarCache:
    """Thread-safe."""

    def __init__(self, time_to_live: timedelta = TIME_TO_LIVE, most: int = MOST_HOURS) -> None:
        self._time_to_live = time_to_live
        self._most = most
        self._hours: dict[tuple[Symbol, datetime], _Hour] = {}
        self._lock = threading.Lock()

    def missing(
        self, symbol: Symbol, start: datetime, end: datetime, now: datetime
    ) -> tuple[datetime, datetime] | None:
        """Return the span to request, from the first unknown hour to the last; None if all is known."""
        unknown = [hour for hour in hours_of(start, end) if self._known(symbol, hour, now) is None]
        return (unknown[0], min(unknown[-1] + HOUR, max(end, unknown[-1]))) if unknown else None

    def keep(self, symbol: Symbol, start: datetime, end: datetime, bars: Iterable[BarArrived], now: datetime) -> None:
        """Store the answer from `start` (on the hour) to `end`: whole finished hours are kept."""
        by_hour: dict[datetime, list[BarArrived]] = {}
        for arrived in bars:
            by_hour.setdefault(_hour_of(arrived.bar.start), []).append(arrived)
        with self._lock:
            for hour in hours_of(start, end):
                if hour >= start and hour + HOUR <= min(end, settled(now)):
                    self._hours.pop((symbol, hour), None)
                    self._hours[symbol, hour] = _Hour(tuple(by_hour.get(hour, ())), now)
            while len(self._hours) > self._most:
                del self._hours[next(iter(self._hours))]

    def bars(self, symbol: Symbol, start: datetime, end: datetime, now: datetime) -> list[BarArrived]:
        """Return the known bars from `start` to before `end`."""
        known = [self._known(symbol, hour, now) for hour in hours_of(start, end)]
        return [bar for hour in known if hour is not None for bar in hour if start <= bar.bar.start < end]

    def _known(self, symbol: Symbol, hour: datetime, now: datetime) -> Sequence[BarArrived] | None:
        with self._lock:
            known = self._hours.get((symbol, hour))
            if known is not None and now - known.kept_at >= self._time_to_live:
                del self._hours[symbol, hour]
                return None
            return None if known is None else known.bars


def hours_of(start: datetime, end: datetime) -> list[datetime]:
    """Return the starts of the hours that the span touches."""
    first = _hour_of(start)
    count = -(-(end - first) // HOUR) if start < end else 0
    return [first + HOUR * n for n in range(count)]


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
