"""Which extreme of a bar is shown first: the one that hurts more of what stands there, long and short alike, mirrored.

It is what a price, a quote and the account say while a bar lasts, and what an order finds that comes after the first
extreme. What stood there before meets the bar in its own worse order, whatever is shown (`BookedOrder.low_hurts`).

A long position is hurt by the low, a short one by the high, an entry as it says itself. What is held counts by its
shares, entries by what this bar can fill of them, and the larger part decides. Where nothing of ours hangs on it the
bar's shape does, so that no side has it better: one that rises went down first.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.book import Book, BookedOrder
from core.brokers.simulated.limit_fills import is_within
from core.model.bar import Bar
from core.model.order import Side
from core.model.values import ZERO, Price, Symbol

Around = Callable[[Symbol, Price, Side], Price]
"""What an order on a side would pay or get where a price was the last one."""


class PathOrder:
    """Answers by what is held and what works at this instant; all orders together get `participation` of a bar."""

    def __init__(self, ledger: ExchangeLedger, book: Book, around: Around, participation: Decimal) -> None:
        self._ledger = ledger
        self._book = book
        self._around = around
        self._participation = participation

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
        entries = [o for o in self._book.working.get(bar.symbol, ()) if o.opens and self._can_fill(o, bar)]
        room = self._participation * bar.volume
        low, high = (
            min(room, sum((o.remaining for o in entries if o.low_hurts is low_hurts), ZERO))
            for low_hurts in (True, False)
        )
        return self._ledger.quantity(bar.symbol) + low - high

    def _can_fill(self, entry: BookedOrder, bar: Bar) -> bool:
        return entry.is_touched(bar.low, bar.high) and not self._is_out_of_reach(entry, bar)

    def _is_out_of_reach(self, entry: BookedOrder, bar: Bar) -> bool:
        """Whether the bar does not elect it, or no quote comes within its limit, or is there where it is elected."""
        stop, limit = entry.stop_price, entry.request.limit_price
        best, worst = (min, max) if entry.side is Side.BUY else (max, min)
        met = best(bar.low, bar.high)
        if stop is not None and not entry.is_elected:
            if not is_within(entry.side, stop, worst(bar.low, bar.high)):
                return True
            met = worst(stop, bar.open)
        if limit is None:
            return False
        return not is_within(entry.side, self._around(entry.symbol, met, entry.side), limit)

    def _by_the_oldest(self, bar: Bar) -> bool:
        """A bar that is its own mirror image: what has stood there for longest decides."""
        entries = [order for order in self._book.working.get(bar.symbol, ()) if order.opens]
        return entries[0].low_hurts if entries else True
