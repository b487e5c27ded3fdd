"""What the market will say, in order of time: bars by their start, quotes by their instant, broken rows in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from operator import itemgetter

from core.inputs import BarArrived, MarketDataBroken, QuoteArrived

Item = BarArrived | QuoteArrived | MarketDataBroken
Timed = tuple[datetime, int, Item]
"""When the exchange learns of it, a rank among equals (bar, quote, broken), and the message for the engine."""

BAR, QUOTE, BROKEN = 0, 1, 2


def bar_item(message: BarArrived) -> Timed:
    """A bar begins at its start; the engine hears of it at its end."""
    return (message.bar.start, BAR, message)


def quote_item(message: QuoteArrived) -> Timed:
    return (message.quote.at, QUOTE, message)


def merged(feeds: Iterable[Iterable[Timed]]) -> Iterator[Timed]:
    """Several feeds as one; at equal times in the order in which the feeds are given."""
    return merge(*feeds, key=itemgetter(0, 1))
