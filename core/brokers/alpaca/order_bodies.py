"""Order requests in Alpaca's format: exact numbers as text, always our own id, only fields of the ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.model.order import Leg, LegRole, OrderClass, OrderRequest, Side
from core.model.values import plain

Figure = Callable[[OrderRequest], Decimal | None]

PRICES: Mapping[str, Figure] = {
    "limit_price": lambda order: None if order.order_class is OrderClass.OCO else order.limit_price,
    "stop_price": lambda order: order.stop_price,
}
"""Every price that an order may have, by Alpaca's name; a missing one is not sent.

In a pair (OCO) the target's price is in its target leg.
"""

TRAILS: Mapping[str, Figure] = {
    "trail_price": lambda order: order.trail_price,
    "trail_percent": lambda order: None if order.trail_fraction is None else order.trail_fraction * 100,
}
"""Distance of a trailing stop, in a new order."""

TRAIL: Mapping[str, Figure] = {"trail": lambda order: TRAILS["trail_price"](order) or TRAILS["trail_percent"](order)}
"""The same in a replacement: one name for both."""

INTENTS: Mapping[tuple[Side, bool], str] = {
    (Side.BUY, False): "buy_to_open",
    (Side.BUY, True): "buy_to_close",
    (Side.SELL, False): "sell_to_open",
    (Side.SELL, True): "sell_to_close",
}
"""By side, and whether the order only reduces.

Alpaca refuses an order with the other effect, so no position is flipped (EX-11).
"""


def a_submission(order: OrderRequest) -> dict[str, object]:
    """Build the body of `POST /v2/orders`.

    Legs always have an order class, because Alpaca ignores them without one (EX-12).

    Raises
    ------
    SeveralLegsError
        The order has several instruments, which would be another order here.
    """
    return {
        "symbol": order.instrument.symbol,
        "qty": plain(order.quantity),
        "side": order.side.value,
        "type": order.type.value,
        "time_in_force": order.time_in_force.value,
        "client_order_id": order.client_order_id,
        "extended_hours": order.extended_hours,
        "position_intent": INTENTS[order.side, order.effect.only_reduces],
        **_figures(order, {**PRICES, **TRAILS}),
        **_class_and_legs(order),
    }


def a_replacement(order: OrderRequest) -> dict[str, object]:
    """Build the body of `PATCH /v2/orders/{id}`: omitted fields keep their values.

    Alpaca changes whole quantities alone. A fraction is omitted, so that a fractional stop can be moved; the ticket
    ensures that its quantity does not change.
    """
    is_whole = order.quantity == order.quantity.to_integral_value()
    is_trailing = order.trail_price is not None or order.trail_fraction is not None
    return {
        "client_order_id": order.client_order_id,
        "time_in_force": order.time_in_force.value,
        **({"qty": plain(order.quantity)} if is_whole else {}),
        **_figures(order, TRAIL if is_trailing else PRICES),
    }


def _class_and_legs(order: OrderRequest) -> dict[str, object]:
    if order.order_class is OrderClass.SIMPLE:
        return {}
    legs: dict[str, object] = {leg.role.value: _leg(leg) for leg in order.legs}
    if order.order_class is OrderClass.OCO and order.limit_price is not None:
        legs[LegRole.TARGET.value] = {"limit_price": plain(order.limit_price)}
    return {"order_class": order.order_class.value, **legs}


def _leg(leg: Leg) -> dict[str, str]:
    prices = {"stop_price": leg.stop_price, "limit_price": leg.limit_price}
    return {name: plain(price) for name, price in prices.items() if price is not None}


def _figures(order: OrderRequest, names: Mapping[str, Figure]) -> dict[str, object]:
    found = {name: figure_of(order) for name, figure_of in names.items()}
    return {name: plain(figure) for name, figure in found.items() if figure is not None}
