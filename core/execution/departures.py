"""Orders in our own queue, and the departure times of the others: observed, never restored (EX-22).

Doubt and every time-out after it count from the departure of the request. For an order of an earlier run that time is
unknown: it may have left as soon as it was recorded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.execution.order import Order
from core.execution.order_retention import KEPT
from core.model.order import OrderStatus
from core.model.values import ClientOrderId

A_MOMENT = timedelta(seconds=2)
"""Time in the queue that is not reported as held up: its lane is usually free."""


class Departures:
    """Filled by the workflow that records an order, and by the runtime as it leaves; only in the engine's thread."""

    def __init__(self) -> None:
        self._waiting: set[ClientOrderId] = set()
        self._left_at: dict[ClientOrderId, datetime] = {}

    def queue(self, order_id: ClientOrderId) -> None:
        """Note that the order is recorded, or is to be sent again, and waits in its lane."""
        self._waiting.add(order_id)
        self._left_at.pop(order_id, None)

    def leave(self, order_id: ClientOrderId, at: datetime) -> None:
        """Note that its request has left."""
        self._waiting.discard(order_id)
        self._left_at.setdefault(order_id, at)
        while at - next(iter(self._left_at.values())) > KEPT:  # the oldest is the first
            del self._left_at[next(iter(self._left_at))]

    def end(self, order_id: ClientOrderId) -> None:
        """Note that it was answered, or never left and never will."""
        self._waiting.discard(order_id)

    def is_here(self, order: Order) -> bool:
        """Whether the broker cannot have it: it waits in our queue, or was kept when the desk stopped."""
        return order.status is OrderStatus.PENDING and (order.id in self._waiting or order.kept is not None)

    def is_held_up(self, order: Order, at: datetime) -> bool:
        """Whether it has waited for its lane for more than a moment."""
        return order.id in self._waiting and at - order.created_at > A_MOMENT

    def left_at(self, order: Order) -> datetime:
        """Return its departure time; for an order that still waits here, the earliest possible one."""
        return self._left_at.get(order.id, order.created_at)
