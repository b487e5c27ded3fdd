"""What a market's history has of a symbol, for its chart: the sessions before today's, and today's minutes so far."""

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
    """Of one symbol.

    Attributes
    ----------
    day
        The trading day on which it was asked for.
    days
        One bar for each session before today's, the oldest first; each begins at its midnight.
    hours
        The same of the last of those sessions, by the hours of the market's clock.
    minutes
        Today's, the oldest first.
    until
        Up to when they are all there, UTC.
    """

    symbol: Symbol
    day: date
    days: tuple[ChartBar, ...]
    hours: tuple[ChartBar, ...]
    minutes: tuple[Bar, ...]
    until: datetime


Past = Callable[[Symbol, date, datetime], ChartPast | None]
"""What is known on a trading day, up to an instant at the least; None where that is not known yet. Asking is also the
wish to know it; nothing waits.
"""


def nothing_before(_symbol: Symbol, _day: date, _until: datetime) -> ChartPast | None:
    return None


def hours_of(minutes: Iterable[Bar]) -> tuple[ChartBar, ...]:
    """Minutes in their order, as bars that begin at the full hours of the market's clock."""
    made: list[ChartBar] = []
    for minute in minutes:
        start = full_hour(minute.start)
        if made and made[-1].start == start:
            made[-1] = _with(made[-1], minute)
        else:
            made.append(bar_at(start, minute))
    return tuple(made)


def day_of(midnight: datetime, minutes: Iterable[Bar]) -> ChartBar | None:
    """Minutes of one session as one bar; None of none."""
    made: ChartBar | None = None
    for minute in minutes:
        made = bar_at(midnight, minute) if made is None else _with(made, minute)
    return made


def full_hour(at: datetime) -> datetime:
    return at - timedelta(minutes=HOME.local(at).minute)


def bar_at(start: datetime, bar: Bar) -> ChartBar:
    """Without a strategy's line."""
    return ChartBar(start, bar.open, bar.high, bar.low, bar.close, None, bar.volume)


def _with(hour: ChartBar, minute: Bar) -> ChartBar:
    return replace(
        hour,
        high=max(hour.high, minute.high),
        low=min(hour.low, minute.low),
        close=minute.close,
        volume=Quantity(hour.volume + minute.volume),
    )
