"""Choose the displayed first extreme of a bar: the one that is worse for the larger part of positions and orders.

Prices, quotes and the account show this path while a bar lasts, and so does an order that comes after the first
extreme. Earlier orders meet the bar in their own worse order, whatever is displayed (`BookedOrder.low_hurts`).

The low is worse for a long position, the high for a short one, and each entry defines its own. Positions count by their
shares, entries by the quantity that this bar can fill, and the larger part decides. Without any, the bar's shape
decides, so that no side has an advantage: one that rises went down first.
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
"""The price of an order on a side after a last price."""


class PathOrder:
    """Decides by current positions and working orders; all orders together get `participation` of a bar."""

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
        """Return the shares for which the low is worse, less those for which the high is."""
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
        """Return whether the bar cannot fill it: it is not elected, or no quote is within its limit, or none at its
        election.
        """
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
        """Decide a symmetrical bar by the oldest working entry."""
        entries = [order for order in self._book.working.get(bar.symbol, ()) if order.opens]
        return entries[0].low_hurts if entries else True
