"""The exchange says that an order has ended, and fills it all the same: the word of the fill was late."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.broker import Execution, UpdateEvent
from core.model.values import NO_MONEY, ClientOrderId, ExecutionId, Quantity


def fills_late(exchange: SimulatedExchange, at: datetime, order_id: ClientOrderId, shares: str) -> None:
    """At its limit; its state stays what it ended in."""
    order, quantity = exchange._book.find(order_id), Quantity(Decimal(shares))
    assert order is not None
    assert not order.is_working
    price = order.request.limit_price
    assert price is not None
    exchange._ledger.execute(order.symbol, order.side, quantity, price, at)
    number = len(order.executions) + 1
    execution = Execution(ExecutionId(f"{order.broker_order_id}-late-{number}"), at, quantity, price, NO_MONEY)
    order.executions.append(execution)
    order.filled += quantity
    order.paid += order.instrument.cost(quantity, price)
    ended = order.last_event
    exchange._book._tell(order, UpdateEvent.FILL, at, execution)
    order.last_event = ended
