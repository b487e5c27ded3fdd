"""A simulated exchange that takes fills back or corrects their price, as a venue may: it says so, or only shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.broker import Execution, OrderUpdate, UpdateEvent
from core.model.order import Side
from core.model.values import ClientOrderId, ExecutionId, Price, Quantity


def takes_fills_back(
    exchange: SimulatedExchange,
    at: datetime,
    order_id: ClientOrderId,
    shares: str,
    event: UpdateEvent | None = None,
) -> None:
    """The broker takes back so many shares of an order's fills, the newest first.

    Its lists and positions show that; the stream only where an event is named.
    """
    book, left = exchange._book, Decimal(shares)
    order = book.find(order_id)
    assert order is not None
    while left:
        execution = order.executions.pop()
        taken = min(left, execution.quantity)
        left -= taken
        order.filled -= taken
        order.paid -= order.instrument.cost(Quantity(taken), execution.price)
        other = Side.SELL if order.side is Side.BUY else Side.BUY
        exchange._ledger.execute(order.symbol, other, Quantity(taken), execution.price, at)
        if rest := execution.quantity - taken:
            order.executions.append(replace(execution, quantity=Quantity(rest)))
    book._has_changed(order)
    if event is not None:
        book._outbox.append(OrderUpdate(event, at, order.report()))


def reprices(
    exchange: SimulatedExchange,
    at: datetime,
    order_id: ClientOrderId,
    price: str,
    event: UpdateEvent | None = UpdateEvent.TRADE_CORRECT,
) -> None:
    """The broker corrects the price of an order's fills; the stream says so where an event is named."""
    order = exchange._book.find(order_id)
    assert order is not None
    shares, true = Quantity(order.filled), Price(Decimal(price))
    takes_fills_back(exchange, at, order_id, str(shares))
    order.filled, order.paid = shares, order.instrument.cost(shares, true)
    order.executions.append(Execution(ExecutionId(f"{order.broker_order_id}-corrected"), at, shares, true))
    exchange._ledger.execute(order.symbol, order.side, shares, true, at)
    exchange._book._has_changed(order)
    if event is not None:
        exchange._book._outbox.append(OrderUpdate(event, at, order.report()))


def gives_again(exchange: SimulatedExchange, at: datetime, order_id: ClientOrderId, shares: str, price: str) -> None:
    """The broker fills so many shares that it took back anew, and the stream says so."""
    book, quantity, cost = exchange._book, Quantity(Decimal(shares)), Price(Decimal(price))
    order = book.find(order_id)
    assert order is not None
    execution = Execution(ExecutionId(f"{order.broker_order_id}-again"), at, quantity, cost)
    order.filled, order.paid = order.filled + quantity, order.paid + order.instrument.cost(quantity, cost)
    order.executions.append(execution)
    exchange._ledger.execute(order.symbol, order.side, quantity, cost, at)
    book._has_changed(order)
    book._outbox.append(OrderUpdate(UpdateEvent.FILL, at, order.report(), execution))
