"""Somebody else trades the same account: the broker's books move, and list that order beside ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.broker import BrokerBooks, OrderReport
from core.model.order import OrderStatus, OrderType, Side, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity, Symbol
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


def is_changed_there(house: House, order_id: ClientOrderId, **terms: object) -> None:
    """The broker changes terms of an order, and says nothing of it."""
    book = house.exchange._book
    order = book.find(order_id)
    assert order is not None
    order.request = replace(order.request, **terms)  # type: ignore[arg-type]
    book._has_changed(order)
