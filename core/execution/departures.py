"""Which of our orders wait in our own queue, and when the others left it: a sighting, never restored (EX-22).

Doubt, and every patience after it, counts from the moment the request left. Of an order that an earlier run wrote
nobody knows that moment: it may have left as soon as it was written.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.execution.order import Order
from core.execution.order_retention import KEPT
from core.model.order import OrderStatus
from core.model.values import ClientOrderId

A_MOMENT = timedelta(seconds=2)
"""For so long an order is as good as on its way: its lane is free as a rule."""


class Departures:
    """Told by the workflow that writes an order, and by the runtime as it leaves; in the engine's thread alone."""

    def __init__(self) -> None:
        self._waiting: set[ClientOrderId] = set()
        self._left_at: dict[ClientOrderId, datetime] = {}

    def queue(self, order_id: ClientOrderId) -> None:
        """It is written down, or is to be sent again, and waits for its turn in its lane."""
        self._waiting.add(order_id)
        self._left_at.pop(order_id, None)

    def leave(self, order_id: ClientOrderId, at: datetime) -> None:
        """Its request is on the wire."""
        self._waiting.discard(order_id)
        self._left_at.setdefault(order_id, at)
        while at - next(iter(self._left_at.values())) > KEPT:  # the oldest is the first
            del self._left_at[next(iter(self._left_at))]

    def end(self, order_id: ClientOrderId) -> None:
        """It was answered, or never left and never will."""
        self._waiting.discard(order_id)

    def is_here(self, order: Order) -> bool:
        """Whether it is known that the broker cannot have it: it waits in our queue, or was kept when the desk left."""
        return order.status is OrderStatus.PENDING and (order.id in self._waiting or order.kept is not None)

    def is_held_up(self, order: Order, at: datetime) -> bool:
        """Whether it has waited for its lane for more than a moment."""
        return order.id in self._waiting and at - order.created_at > A_MOMENT

    def left_at(self, order: Order) -> datetime:
        """When it left; of one that waits here, the earliest that it may have."""
        return self._left_at.get(order.id, order.created_at)
