"""A symbol's market history for its chart: earlier sessions, and today's minutes so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from core.model.bar import Bar
from core.model.session import HOME
from core.model.values import SUB_PENNY, ZERO, Price, Quantity, Symbol
from core.views.results import ChartBar


@dataclass(frozen=True, slots=True)
class ChartPast:
    """The history of one symbol.

    Attributes
    ----------
    day
        The trading day of the request.
    days
        One bar for each session before today's, oldest first; each begins at its midnight.
    hours
        The last of those sessions by the hours of the market's clock.
    minutes
        Today's, oldest first.
    until
        Time up to which they are complete, UTC.
    """

    symbol: Symbol
    day: date
    days: tuple[ChartBar, ...]
    hours: tuple[ChartBar, ...]
    minutes: tuple[Bar, ...]
    until: datetime


Past = Callable[[Symbol, date, datetime], ChartPast | None]
"""Return the history of a trading day, up to at least an instant; None while it is unknown.

A call also requests it; it does not wait.
"""


def nothing_before(_symbol: Symbol, _day: date, _until: datetime) -> ChartPast | None:
    return None


def hours_of(minutes: Iterable[Bar]) -> tuple[ChartBar, ...]:
    """Combine minutes into bars from the full hours of the market's clock, each with its day's VWAP so far."""
    made: list[ChartBar] = []
    measured = DayVwap()
    for minute in minutes:
        start = full_hour(minute.start)
        if made and made[-1].start == start:
            made[-1] = _with(made[-1], minute)
        else:
            _close(made, measured)
            if not made or HOME.day_of(made[-1].start) != HOME.day_of(start):
                measured = DayVwap()
            made.append(bar_at(start, minute))
        measured.take(minute)
    _close(made, measured)
    return tuple(made)


def day_of(midnight: datetime, minutes: Iterable[Bar]) -> ChartBar | None:
    """Combine the minutes of one session into one bar with its VWAP; None without minutes."""
    made: list[ChartBar] = []
    measured = DayVwap()
    for minute in minutes:
        made = [bar_at(midnight, minute)] if not made else [_with(made[0], minute)]
        measured.take(minute)
    _close(made, measured)
    return made[0] if made else None


class DayVwap:
    """VWAP of a day as the strategy computes it: the minutes' typical prices, weighted by volume."""

    def __init__(self) -> None:
        self._volume = self._weighted = ZERO

    def take(self, bar: Bar | ChartBar) -> None:
        self._volume += bar.volume
        self._weighted += (bar.high + bar.low + bar.close) * bar.volume

    def price(self) -> Price | None:
        """Return VWAP so far, to a hundredth of a cent; None without volume."""
        return Price((self._weighted / (3 * self._volume)).quantize(SUB_PENNY)) if self._volume else None


def _close(made: list[ChartBar], measured: DayVwap) -> None:
    """Complete the last bar with VWAP at its end."""
    if made:
        made[-1] = replace(made[-1], reference=measured.price())


def full_hour(at: datetime) -> datetime:
    return at - timedelta(minutes=HOME.local(at).minute)


def bar_at(start: datetime, bar: Bar) -> ChartBar:
    """Return a chart bar without a strategy's line."""
    return ChartBar(start, bar.open, bar.high, bar.low, bar.close, None, bar.volume)


def _with(hour: ChartBar, minute: Bar) -> ChartBar:
    return replace(
        hour,
        high=max(hour.high, minute.high),
        low=min(hour.low, minute.low),
        close=minute.close,
        volume=Quantity(hour.volume + minute.volume),
    )
