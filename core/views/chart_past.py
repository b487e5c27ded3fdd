"""A symbol's market history for its chart: earlier sessions, and today's minutes so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from core.model.bar import Bar
from core.model.values import Quantity, Symbol
from core.model.venues import HOME
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
    """Combine ordered minutes into bars that begin at the full hours of the market's clock."""
    made: list[ChartBar] = []
    for minute in minutes:
        start = full_hour(minute.start)
        if made and made[-1].start == start:
            made[-1] = _with(made[-1], minute)
        else:
            made.append(bar_at(start, minute))
    return tuple(made)


def day_of(midnight: datetime, minutes: Iterable[Bar]) -> ChartBar | None:
    """Combine the minutes of one session into one bar; None without minutes."""
    made: ChartBar | None = None
    for minute in minutes:
        made = bar_at(midnight, minute) if made is None else _with(made, minute)
    return made


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
