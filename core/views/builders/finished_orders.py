"""Build the rows of today's finished orders: once, and again when a fact mentions them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

from core.execution.order import Order
from core.facts import Fact, OrdersRecalled
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState
from core.views import OrderRow
from core.views.order_chain import subject_of


class FinishedOrders:
    """The row of a finished order depends only on itself once the order that it was to replace has ended."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._day: date | None = None
        self._rows: dict[ClientOrderId, OrderRow | None] = {}

    def rows(self, at: datetime, draw: Callable[[Order], OrderRow]) -> Iterator[OrderRow]:
        """Yield working orders and those created today, newest first."""
        ledger, day_of = self.state.ledger, self.state.calendar.trading_day
        today = day_of(at)
        if today != self._day:
            self._day, self._rows = today, {}
        for order in reversed(ledger.state.orders.values()):
            if order.id in self._rows:
                row = self._rows[order.id]
            else:
                row = draw(order) if order.is_working or day_of(order.created_at) == today else None
                if not order.is_working and ledger.chains.replaced(order) is None:
                    self._rows[order.id] = row
            if row is not None:
                yield row

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrdersRecalled):
            self._rows = {}
        order = self.state.ledger.order(ClientOrderId(subject_of(fact) or ""))
        if order is not None:
            for name in (order.id, order.request.replaces, order.replacement, order.replaced_by):
                self._rows.pop(name or order.id, None)
