"""The market data feed in order of time: bars by start, quotes by instant, broken rows in place."""

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
    """A part of a minute by which the exchange trades; the engine receives the whole minute."""

    bar: Bar
    lasts: timedelta


Beforehand = PastArrived | CorporateActionsArrived
"""Inputs that precede a session."""
Item = BarArrived | QuoteArrived | MarketDataBroken | RegimeArrived | Beforehand | SliceTraded
Timed = tuple[datetime, int, Item]
"""The time at which the exchange receives an item, its rank among equal times, and the item.

The ranks are in the order past, slice, bar, quote, broken, regime.
"""

PAST, SLICE, BAR, QUOTE, BROKEN, REGIME = -2, -1, 0, 1, 2, 3


def bar_item(message: BarArrived) -> Timed:
    """Place a bar at its start; the engine receives it at its end."""
    return (message.bar.start, BAR, message)


def past_item(message: Beforehand, at: datetime) -> Timed:
    """Place an item before everything of the session itself."""
    return (at, PAST, message)


def slice_item(slice_traded: SliceTraded) -> Timed:
    """Place a slice before the minute that begins with it, so that the exchange trades by the slice."""
    return (slice_traded.bar.start, SLICE, slice_traded)


def quote_item(message: QuoteArrived) -> Timed:
    return (message.quote.at, QUOTE, message)


def last_heard(feeds: Iterable[Sequence[Timed]]) -> datetime:
    """Return the time at which the engine receives the last bar of all feeds."""
    return max(item[2].heard_at for feed in feeds for item in feed if isinstance(item[2], BarArrived))


def merged(feeds: Iterable[Iterable[Timed]]) -> Iterator[Timed]:
    """Merge several feeds; at equal times in the order of the feeds."""
    return merge(*feeds, key=itemgetter(0, 1))
