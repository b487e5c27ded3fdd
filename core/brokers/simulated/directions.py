"""Which extreme of a bar comes first: the one that hurts, for a buyer and a seller alike, mirrored.

A long position is hurt by the low, a short one by the high. Where nothing is held, what may open in this bar counts: a
buy at a limit is hurt as what it buys, and a buy by a stop if the high elects it first, for the low is then still to
come. Where nothing of ours hangs on it the bar's shape decides, so that no side has it better: one that rises went down
first.
"""

from __future__ import annotations

from core.brokers.simulated.account import Ledger
from core.brokers.simulated.book import Book, BookedOrder
from core.model.bar import Bar
from core.model.order import Side
from core.model.values import ZERO


class Directions:
    """Answers by what is held and what works at this instant."""

    def __init__(self, ledger: Ledger, book: Book) -> None:
        self._ledger = ledger
        self._book = book

    def low_first(self, bar: Bar) -> bool:
        held = self._ledger.quantity(bar.symbol)
        if held != ZERO:
            return held > ZERO
        entries = [o for o in self._book.working.get(bar.symbol, ()) if o.opens and o.is_touched(bar.low, bar.high)]
        wanted = {_low_hurts(order) for order in entries}
        return wanted.pop() if len(wanted) == 1 else _is_low_nearer_the_beginning(bar)


def _low_hurts(entry: BookedOrder) -> bool:
    """A buy at its limit is hurt by the low, as what it buys will be; a buy by a stop by the high that elects it."""
    return (entry.side is Side.BUY) == (entry.rests_at_its_limit or entry.takes_any_price)


def _is_low_nearer_the_beginning(bar: Bar) -> bool:
    """A bar that rises went down first; one that ends where it began went first to where it was nearer."""
    if bar.close != bar.open:
        return bar.close > bar.open
    return bar.open - bar.low <= bar.high - bar.open
