"""Which extreme of a bar comes first: the one that hurts more of what stands there, long and short alike, mirrored.

A long position is hurt by the low, a short one by the high; so is what a limit or a market order buys. A buy by a stop
is hurt if the high elects it first, for the low is then still to come. One whose limit is out of reach where it is
elected is hurt by neither, for its bar fills it by no extreme, nor is a trailing one that no price of the bar meets.
Each counts by its shares, and the larger part decides.

Where nothing of ours hangs on it the bar's shape does, so that no side has it better: one that rises went down first.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.brokers.simulated.account import Ledger
from core.brokers.simulated.book import Book, BookedOrder
from core.brokers.simulated.limits import is_within
from core.model.bar import Bar
from core.model.order import Side
from core.model.values import ZERO, Price, Symbol

Around = Callable[[Symbol, Price, Side], Price]
"""What an order on a side would pay or get where a price was the last one."""


class Directions:
    """Answers by what is held and what works at this instant."""

    def __init__(self, ledger: Ledger, book: Book, around: Around) -> None:
        self._ledger = ledger
        self._book = book
        self._around = around

    def low_first(self, bar: Bar) -> bool:
        weight = self._weight(bar)
        if weight != ZERO:
            return weight > ZERO
        if bar.close != bar.open:
            return bar.close > bar.open
        if bar.open - bar.low != bar.high - bar.open:
            return bar.open - bar.low < bar.high - bar.open
        return self._by_the_oldest(bar)

    def _weight(self, bar: Bar) -> Decimal:
        """Shares that the low hurts, less those that the high does."""
        weight = self._ledger.quantity(bar.symbol)
        for order in self._book.working.get(bar.symbol, ()):
            if order.opens and order.is_touched(bar.low, bar.high) and not self._is_out_of_reach(order, bar):
                weight += order.remaining if _low_hurts(order) else -order.remaining
        return weight

    def _is_out_of_reach(self, entry: BookedOrder, bar: Bar) -> bool:
        """Whether the bar does not elect it, or nobody would fill it there: its limit is short of the quote."""
        stop, limit = entry.stop_price, entry.request.limit_price
        if entry.is_elected or stop is None:
            return False
        if limit is None:
            return bar.high < stop if entry.side is Side.BUY else bar.low > stop
        return not is_within(entry.side, self._around(entry.symbol, stop, entry.side), limit)

    def _by_the_oldest(self, bar: Bar) -> bool:
        """A bar that is its own mirror image: what has stood there for longest decides."""
        entries = [order for order in self._book.working.get(bar.symbol, ()) if order.opens]
        return _low_hurts(entries[0]) if entries else True


def _low_hurts(entry: BookedOrder) -> bool:
    """A buy at its limit is hurt by the low, as what it buys will be; a buy by a stop by the high that elects it."""
    return (entry.side is Side.BUY) == (entry.rests_at_its_limit or entry.takes_any_price)
