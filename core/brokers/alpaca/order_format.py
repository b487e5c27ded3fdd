"""Orders in Alpaca's format: the bodies of requests, and orders of kinds that this desk never sends (MD-07).

By amount, with several legs, in options or crypto, for an auction, or of an unknown class: each is described as text,
and blocks nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from core.brokers.alpaca.contract import CLOSES, CRYPTO, ORDER, ORDER_CLASSES, SEVERAL_LEGS, SHARES
from core.brokers.alpaca.fields import Fields, UnreadableFieldError, rows
from core.brokers.alpaca.parsing import left_of
from core.model.broker import ForeignOrder
from core.model.order import ORDER_ID, Leg, LegRole, OrderClass, OrderRequest, Side, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, plain

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

Alpaca refuses an order that would have another effect when it arrives, so no position is flipped (EX-11).
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


OURS = frozenset(time.value for time in TimeInForce)


def a_foreign_order(raw: object) -> ForeignOrder | None:
    """Parse such an order; None for an order for shares as this desk sends them.

    Raises
    ------
    UnreadableFieldError
    """
    order = Fields(raw, "an order", ORDER)
    kinds = tuple(_kinds(order))
    if not kinds:
        return None
    return ForeignOrder(
        broker_order_id=BrokerOrderId(order.identifier("id")),
        client_order_id=ClientOrderId(order.text("client_order_id")),
        symbol=order.optional_symbol(),
        words=f"{_in_words(order)} ({', '.join(kinds)})",
        raw_status=order.text("status"),
        may_open=_may_open(order),
        legs=tuple(BrokerOrderId(leg.identifier("id")) for leg in _legs(order)),
        side=next((side for side in Side if side.value == order.word("side")), None),
        left=left_of(order),
    )


def is_foreign(raw: object) -> bool:
    """Return whether it is such an order: the books report it, and its updates are ignored here.

    An order whose id has our form is never ignored, whatever its other fields are (EX-05).
    """
    try:
        return not has_our_id(raw) and a_foreign_order(raw) is not None
    except UnreadableFieldError:
        return False


def has_our_id(raw: object) -> bool:
    name = raw.get("client_order_id") if isinstance(raw, dict) else None
    return isinstance(name, str) and ORDER_ID.fullmatch(name) is not None


def _kinds(order: Fields) -> Iterator[str]:
    """Yield each difference from our orders in a word or two."""
    asset_class, order_class, lasts = order.word("asset_class"), order.word("order_class"), order.text("time_in_force")
    if asset_class is not None and asset_class != SHARES:
        yield asset_class
    if order_class == SEVERAL_LEGS:
        yield f"{len(_legs(order))} legs"
    elif order_class not in ORDER_CLASSES:
        yield f"class {order_class}"
    if order.optional_number("qty") is None and order.optional_number("notional") is not None:
        yield "by amount"
    if lasts not in OURS:
        yield f"in force {lasts}"


def _in_words(order: Fields) -> str:
    """As in `BUY 25 USD SPY market day`; with several legs each of them first."""
    terms = [order.word("type") or order.text("order_type")]
    terms += [plain(price) for name in ("limit_price", "stop_price") if (price := order.optional_number(name))]
    terms.append(order.text("time_in_force"))
    legs = _legs(order)
    named = " + ".join(_one(leg) for leg in legs) if legs and order.word("symbol") is None else _one(order)
    return " ".join([named, *terms])


def _one(order: Fields) -> str:
    quantity, amount = order.optional_number("qty"), order.optional_number("notional")
    size = plain(quantity) if quantity is not None else f"{plain(amount)} USD" if amount is not None else ""
    said = ((order.word("side") or "").upper(), size, order.word("symbol") or "")
    return " ".join(word for word in said if word)


def _legs(order: Fields) -> list[Fields]:
    legs = order.value("legs")
    return [] if legs is None else [Fields(leg, f"{order.place}, a leg", ORDER) for leg in rows(legs, order.place)]


def _may_open(order: Fields) -> bool:
    """Return whether it may open: not if it says that it closes, or can do nothing else, because neither coins nor an
    amount are sold short.
    """
    legs = _legs(order)
    if legs:
        return any(leg.word("position_intent") not in CLOSES for leg in legs)
    is_sale = order.word("side") == Side.SELL.value
    cannot_be_short = order.word("asset_class") == CRYPTO or order.optional_number("notional") is not None
    return order.word("position_intent") not in CLOSES and not (is_sale and cannot_be_short)
