"""An order as Alpaca wants to read it: exact numbers as text, our own id always, nothing that was not on the ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.model.order import OrderRequest, Side
from core.model.values import plain

PRICES: Mapping[str, Callable[[OrderRequest], Decimal | None]] = {
    "limit_price": lambda order: order.limit_price,
    "stop_price": lambda order: order.stop_price,
}
"""Every price that an order may have, by Alpaca's name; one that it does not have is not sent."""

INTENTS: Mapping[tuple[Side, bool], str] = {
    (Side.BUY, False): "buy_to_open",
    (Side.BUY, True): "buy_to_close",
    (Side.SELL, False): "sell_to_open",
    (Side.SELL, True): "sell_to_close",
}
"""By side, and whether the order only reduces. Alpaca refuses what would do the other: nothing is flipped (EX-11)."""


def a_submission(order: OrderRequest) -> dict[str, object]:
    """The body of `POST /v2/orders`."""
    return {
        "symbol": order.symbol,
        "qty": plain(order.quantity),
        "side": order.side.value,
        "type": order.type.value,
        "time_in_force": order.time_in_force.value,
        "client_order_id": order.client_order_id,
        "extended_hours": False,
        "position_intent": INTENTS[order.side, order.effect.only_reduces],
        **_prices(order),
    }


def a_replacement(order: OrderRequest) -> dict[str, object]:
    """The body of `PATCH /v2/orders/{id}`: what is not named stays as it was.

    Alpaca changes whole quantities alone. A fraction is not named, so that a fractional stop can be moved; that nobody
    changes one in number is seen to before the ticket.
    """
    is_whole = order.quantity == order.quantity.to_integral_value()
    return {
        "client_order_id": order.client_order_id,
        "time_in_force": order.time_in_force.value,
        **({"qty": plain(order.quantity)} if is_whole else {}),
        **_prices(order),
    }


def _prices(order: OrderRequest) -> dict[str, object]:
    found = {name: price_of(order) for name, price_of in PRICES.items()}
    return {name: plain(price) for name, price in found.items() if price is not None}
