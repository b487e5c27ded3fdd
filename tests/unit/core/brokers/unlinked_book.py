"""An exchange on which the legs of a bracket know nothing of each other: none shrinks, and none goes with another.

ALPACA.md: a target that filled in part leaves the rest of its stop to be checked. A desk depends on neither.
"""

from __future__ import annotations

from datetime import datetime

from core.brokers.simulated.exchange import SimulatedExchange
from core.brokers.simulated.order_book import Book, BookedOrder
from core.model.broker import UpdateEvent
from core.model.values import Price, Quantity


class UnlinkedBook(Book):
    """Legs still wait for their entry, and go with one that ends unfilled."""

    _is_filling = False

    def fill(self, order: BookedOrder, quantity: Quantity, price: Price, at: datetime) -> None:
        self._is_filling = True
        super().fill(order, quantity, price, at)
        self._is_filling = False

    def end(self, order: BookedOrder, event: UpdateEvent, at: datetime) -> None:
        if self._is_filling:
            return
        if order.parent is None:
            super().end(order, event, at)
            return
        self._close(order, at)
        self._tell(order, event, at)

    def _shrink(self, sibling: BookedOrder, by: Quantity, at: datetime) -> None:
        """Nothing is taken off a sibling."""


def unlink_siblings(exchange: SimulatedExchange) -> None:
    """From here on, on this exchange."""
    exchange._book.__class__ = UnlinkedBook
