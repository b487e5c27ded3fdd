"""The legs that the exchange makes with an accepted order, under its own ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from core.brokers.simulated.book import BookedOrder
from core.model.order import Effect, Leg, OrderClass, OrderRequest, Side
from core.model.values import BrokerOrderId, ClientOrderId


def legs_of(order: BookedOrder, next_id: Callable[[], BrokerOrderId]) -> Iterator[BookedOrder]:
    """Yield one leg at a time, each to be booked before the next.

    As at Alpaca, legs without an order class are ignored.
    """
    if order.request.order_class is OrderClass.SIMPLE:
        return
    for leg in order.request.legs:
        broker_order_id = next_id()
        booked = BookedOrder(
            request=_request(order.request, leg, ClientOrderId(f"leg-{broker_order_id}")),
            broker_order_id=broker_order_id,
            opens=False,
            reserve_price=order.reserve_price,
            step=Decimal(1),
            expires_at=order.expires_at,
            instrument=order.instrument,
            accepted_at=order.accepted_at,
            parent=order,
        )
        order.legs.append(booked)
        yield booked


def _request(parent: OrderRequest, leg: Leg, client_order_id: ClientOrderId) -> OrderRequest:
    side = parent.side if parent.order_class is OrderClass.OCO else parent.side.opposite
    return OrderRequest(
        client_order_id=client_order_id,
        symbol=parent.symbol,
        side=side,
        effect=Effect.CLOSE if side is Side.SELL else Effect.COVER,
        quantity=parent.quantity,
        type=leg.type,
        time_in_force=parent.time_in_force,
        limit_price=leg.limit_price,
        stop_price=leg.stop_price,
    )
