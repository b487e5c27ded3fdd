"""What the market will say, in order of time: bars by their start, quotes by their instant, broken rows in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter

from core.messages.inputs import (
    BarArrived,
    CorporateActionsArrived,
    MarketDataBroken,
    PastArrived,
    QuoteArrived,
    RegimeArrived,
)
from core.model.bar import Bar


@dataclass(frozen=True, slots=True)
class SliceTraded:
    """A part of a minute, that the exchange trades by; the engine is told of the minute."""

    bar: Bar
    lasts: timedelta


Beforehand = PastArrived | CorporateActionsArrived
"""What is told of a session before it begins."""
Item = BarArrived | QuoteArrived | MarketDataBroken | RegimeArrived | Beforehand | SliceTraded
Timed = tuple[datetime, int, Item]
"""When the exchange learns of it, a rank among equals (past, slice, bar, quote, broken, regime), and what is said."""

PAST, SLICE, BAR, QUOTE, BROKEN, REGIME = -2, -1, 0, 1, 2, 3


def bar_item(message: BarArrived) -> Timed:
    """A bar begins at its start; the engine hears of it at its end."""
    return (message.bar.start, BAR, message)


def past_item(message: Beforehand, at: datetime) -> Timed:
    """Before all that is of the session itself."""
    return (at, PAST, message)


def slice_item(slice_traded: SliceTraded) -> Timed:
    """It comes before the minute that begins with it, so that the exchange trades by the slice."""
    return (slice_traded.bar.start, SLICE, slice_traded)


def quote_item(message: QuoteArrived) -> Timed:
    return (message.quote.at, QUOTE, message)


def last_heard(feeds: Iterable[Sequence[Timed]]) -> datetime:
    """When the engine hears of the last bar of all."""
    return max(item[2].heard_at for feed in feeds for item in feed if isinstance(item[2], BarArrived))


def merged(feeds: Iterable[Iterable[Timed]]) -> Iterator[Timed]:
    """Several feeds as one; at equal times in the order in which the feeds are given."""
    return merge(*feeds, key=itemgetter(0, 1))
