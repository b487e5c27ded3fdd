"""An order as a client asks for it in JSON, read into one of the simulated exchange, or refused in Alpaca's words.

What Alpaca has and this exchange does not (notional orders, other times in force, crypto, options) is refused.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import uuid4

from core.model.broker import OrderReport
from core.model.order import Effect, Leg, LegRole, OrderClass, OrderRequest, OrderType, Side, TimeInForce
from core.model.values import ZERO, ClientOrderId, Fraction, Price, Quantity, Symbol, plain
from tests.wire.exchange.refusal import invalid, malformed

Json = dict[str, Any]
Word = TypeVar("Word", OrderType, OrderClass, Side, TimeInForce)
LONGEST_ID = 128


def read_order(body: Json, position: Decimal) -> OrderRequest:
    """The order that a POST asks for; `position` is what the account holds of its symbol, signed.

    Raises
    ------
    RefusalError
    """
    symbol, side = Symbol(required(body, "symbol")), word(Side, body, "side")
    if body.get("notional") is not None:
        raise invalid("notional orders are not taken here")
    quantity = number(body, "qty")
    if quantity is None:
        raise malformed("qty or notional is required")
    client_order_id = body.get("client_order_id") or str(uuid4())
    if len(client_order_id) > LONGEST_ID:
        raise malformed(f"client_order_id must be no more than {LONGEST_ID} characters")
    order_class = class_of(body)
    percent = number(body, "trail_percent")
    order = OrderRequest(
        client_order_id=ClientOrderId(client_order_id), symbol=symbol, side=side,
        effect=intended(body, side) or effect_of(side, position, quantity), quantity=Quantity(quantity),
        type=word(OrderType, body, "type"), time_in_force=word(TimeInForce, body, "time_in_force"),
        limit_price=price(body, "limit_price"), stop_price=price(body, "stop_price"),
        trail_price=price(body, "trail_price"),
        trail_fraction=None if percent is None else Fraction(percent / 100), order_class=order_class,
        legs=legs_of(body, order_class), extended_hours=bool(body.get("extended_hours")),
    )  # fmt: skip
    if order_class is OrderClass.OCO:
        order = replace(order, limit_price=price(part(body, LegRole.TARGET), "limit_price") or order.limit_price)
    return order


def class_of(body: Json) -> OrderClass:
    """Left out and empty are simple."""
    return word(OrderClass, body, "order_class") if body.get("order_class") else OrderClass.SIMPLE


def legs_of(body: Json, order_class: OrderClass) -> tuple[Leg, ...]:
    """The stop first. Legs without a class are ignored, as the broker does; an OCO is its own target."""
    if order_class is OrderClass.SIMPLE:
        return ()
    stop, target = part(body, LegRole.STOP), part(body, LegRole.TARGET)
    legs = [Leg(LegRole.STOP, price(stop, "stop_price"), price(stop, "limit_price"))] if stop else []
    if target and order_class is not OrderClass.OCO:
        legs.append(Leg(LegRole.TARGET, limit_price=price(target, "limit_price")))
    return tuple(legs)


def part(body: Json, role: LegRole) -> Json:
    said = body.get(role.value) or {}
    if not isinstance(said, dict):
        raise malformed(f"{role.value} is not an object")
    return said


def read_replacement(body: Json, old: OrderRequest) -> OrderRequest:
    """The order that takes the place of `old`: what the PATCH does not name stays.

    Raises
    ------
    RefusalError
    """
    quantity, trail = number(body, "qty"), price(body, "trail")
    if quantity is not None and quantity != quantity.to_integral_value():
        raise malformed("qty must be integer")
    order = replace(
        old,
        client_order_id=ClientOrderId(body.get("client_order_id") or str(uuid4())),
        quantity=old.quantity if quantity is None else Quantity(quantity),
        time_in_force=word(TimeInForce, body, "time_in_force") if body.get("time_in_force") else old.time_in_force,
        limit_price=price(body, "limit_price") or old.limit_price,
        stop_price=price(body, "stop_price") or old.stop_price,
        replaces=old.client_order_id,
    )
    if trail is None:
        return order
    if old.trail_price is not None:
        return replace(order, trail_price=trail)
    return replace(order, trail_fraction=Fraction(trail / 100))


def as_asked(leg: OrderReport) -> OrderRequest:
    """A leg as if it had been asked for by itself."""
    return OrderRequest(
        client_order_id=leg.client_order_id, symbol=leg.symbol, side=leg.side,
        effect=Effect.CLOSE if leg.side is Side.SELL else Effect.COVER, quantity=leg.quantity, type=leg.type,
        time_in_force=leg.time_in_force, limit_price=leg.limit_price, stop_price=leg.stop_price,
    )  # fmt: skip


INTENTS = {
    "buy_to_open": (Side.BUY, Effect.OPEN), "buy_to_close": (Side.BUY, Effect.COVER),
    "sell_to_open": (Side.SELL, Effect.SHORT), "sell_to_close": (Side.SELL, Effect.CLOSE),
}  # fmt: skip


def intended(body: Json, side: Side) -> Effect | None:
    """What `position_intent` says that the order does; None where the body does not name it.

    Raises
    ------
    RefusalError
    """
    said = body.get("position_intent")
    if said is None:
        return None
    of, effect = INTENTS.get(str(said), (None, None))
    if of is not side:
        raise malformed("invalid position_intent specified")
    return effect


def effect_of(side: Side, position: Decimal, quantity: Decimal) -> Effect:
    """What the order does to the position, worked out from what is held."""
    if position == ZERO:
        return Effect.OPEN if side is Side.BUY else Effect.SHORT
    if (position > ZERO) == (side is Side.BUY):
        return Effect.ADD
    if position < ZERO:
        return Effect.COVER
    return Effect.CLOSE if quantity >= position else Effect.REDUCE


def required(body: Json, name: str) -> str:
    said = body.get(name)
    if not isinstance(said, str) or not said:
        raise malformed(f"{name} is required")
    return said


def word(kind: type[Word], body: Json, name: str) -> Word:
    said = required(body, name)
    try:
        return kind(said)
    except ValueError:
        raise invalid(f"invalid {name}: {said}") from None


def number(body: Json, name: str) -> Decimal | None:
    """A number, said as text or as a number; trailing noughts go."""
    said = body.get(name)
    if said is None or said == "":
        return None
    try:
        return Decimal(plain(Decimal(str(said))))
    except InvalidOperation:
        raise malformed(f"{name} is not a number: {said}") from None


def price(body: Json, name: str) -> Price | None:
    said = number(body, name)
    return None if said is None else Price(said)
