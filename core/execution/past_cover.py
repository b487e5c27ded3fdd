"""Compute the cover at a past time from the records of orders, by the ledger's own rules.

It serves reports. An order that the records do not have is skipped. Nothing is forgotten, and nothing is decided.
"""

from __future__ import annotations

from datetime import datetime

from core.execution.exit_claims import ExitClaims
from core.execution.ledger_state import LedgerIndex
from core.execution.legs import Legs
from core.execution.order import Order
from core.execution.order_folds import OrderFolds
from core.execution.position_book import count_fill
from core.execution.replacement_chains import ReplacementChains
from core.facts import (
    ContingentOrdersMissing,
    Fact,
    KeptOrderReleased,
    LegResized,
    OrderCreated,
    OrderFilled,
    OrderIdled,
    OrderKept,
    OrderRestated,
    OrderRevived,
    OrderStateChanged,
    OrderStateUnknown,
    OrderTradesAgain,
)
from core.model.values import Symbol

FOLDED: tuple[type[Fact], ...] = (
    ContingentOrdersMissing,
    KeptOrderReleased,
    LegResized,
    OrderCreated,
    OrderFilled,
    OrderIdled,
    OrderKept,
    OrderRestated,
    OrderRevived,
    OrderStateChanged,
    OrderStateUnknown,
    OrderTradesAgain,
)


class PastCover:
    """The cover at a past time; `exits` answers as the ledger's does."""

    def __init__(self) -> None:
        self._index = LedgerIndex()
        self._chains = ReplacementChains(self._index)
        self.exits = ExitClaims(self._index, self._chains, Legs(self._index))
        self._folds = OrderFolds(self._index, self._chains, lambda _order_id: None).folds

    def take(self, at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrderFilled):
            if (order := self._index.orders.get(fact.fill.client_order_id)) is not None:
                count_fill(order, fact)
        elif isinstance(fact, OrderCreated) or (
            isinstance(fact, FOLDED) and getattr(fact, "client_order_id", None) in self._index.orders
        ):
            self._folds[type(fact)](at, fact)

    def guards(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return stops that count as cover."""
        return tuple(
            order
            for order in self.exits.working(symbol, strategy)
            if order.is_protective
            and order.idle is None
            and order.kept is None
            and not self._chains.is_in_doubt(order)
            and self.exits.claim(order) > 0
        )
