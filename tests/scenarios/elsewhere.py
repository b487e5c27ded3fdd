"""Somebody else trades the same account: the broker's books move, and list that order beside ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.broker import BrokerBooks, Execution, OrderReport, OrderUpdate, UpdateEvent
from core.model.order import OrderStatus, OrderType, Side, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Price, Quantity, Symbol
from tests.scenarios.house import House
from tests.unit.core.brokers.trading_floor import SPY


def others_order(side: Side, shares: str, symbol: Symbol = SPY, name: str = "elsewhere-1") -> OrderReport:
    """A market order of somebody else, filled."""
    quantity = Quantity(Decimal(shares))
    return OrderReport(
        client_order_id=ClientOrderId(name),
        broker_order_id=BrokerOrderId(name),
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        quantity=quantity,
        limit_price=None,
        stop_price=None,
        status=OrderStatus.FILLED,
        raw_status="filled",
        filled_quantity=quantity,
        average_price=Price(Decimal(100)),
    )


def trades_elsewhere(exchange: SimulatedExchange, at: datetime, side: Side, shares: str, symbol: Symbol = SPY) -> None:
    """The account's shares move, and our orders stay as they are."""
    exchange._ledger.execute(symbol, side, Quantity(Decimal(shares)), Price(Decimal(100)), at)
    others: list[OrderReport] = exchange.__dict__.setdefault("orders_of_others", [])
    if not others:
        picture = exchange.books

        def with_others(at: datetime) -> BrokerBooks:
            books = picture(at)
            return replace(books, orders=(*books.orders, *others))

        exchange.books = with_others  # type: ignore[method-assign]
    others.append(others_order(side, shares, symbol, f"elsewhere-{len(others) + 1}"))


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
        book._fills[:] = [fill for fill in book._fills if fill.execution.id != execution.id]
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


def reprices(exchange: SimulatedExchange, at: datetime, order_id: ClientOrderId, price: str) -> None:
    """The broker corrects the price of an order's fills, and says so."""
    order = exchange._book.find(order_id)
    assert order is not None
    shares, true = Quantity(order.filled), Price(Decimal(price))
    takes_fills_back(exchange, at, order_id, str(shares))
    order.filled, order.paid = shares, order.instrument.cost(shares, true)
    order.executions.append(Execution(ExecutionId(f"{order.broker_order_id}-corrected"), at, shares, true))
    exchange._ledger.execute(order.symbol, order.side, shares, true, at)
    exchange._book._has_changed(order)
    exchange._book._outbox.append(OrderUpdate(UpdateEvent.TRADE_CORRECT, at, order.report()))


def is_changed_there(house: House, order_id: ClientOrderId, **terms: object) -> None:
    """The broker changes terms of an order, and says nothing of it."""
    book = house.exchange._book
    order = book.find(order_id)
    assert order is not None
    order.request = replace(order.request, **terms)  # type: ignore[arg-type]
    book._has_changed(order)
