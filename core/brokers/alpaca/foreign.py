"""Orders in the account of kinds that this desk never sends (MD-07).

By amount, with several legs, in options or crypto, for an auction, or of an unknown class: each is described as text,
and blocks nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.brokers.alpaca.contract import CLOSES, CRYPTO, ORDER, ORDER_CLASSES, SEVERAL_LEGS, SHARES
from core.brokers.alpaca.fields import Fields, UnreadableFieldError, rows
from core.brokers.alpaca.parsing import left_of
from core.model.broker import ForeignOrder
from core.model.order import ORDER_ID, Side, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, Symbol, plain

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
    symbol = order.word("symbol")
    return ForeignOrder(
        broker_order_id=BrokerOrderId(order.text("id")),
        client_order_id=ClientOrderId(order.text("client_order_id")),
        symbol=None if symbol is None else Symbol(symbol),
        words=f"{_in_words(order)} ({', '.join(kinds)})",
        raw_status=order.text("status"),
        may_open=_may_open(order),
        legs=tuple(BrokerOrderId(leg.text("id")) for leg in _legs(order)),
        side=next((side for side in Side if side.value == order.word("side")), None),
        left=left_of(order),
    )


def is_foreign(raw: object) -> bool:
    """Return whether it is such an order: the books report it, and its updates are ignored here.

    An order whose id has our form is never ignored, whatever its other fields are (EX-05).
    """
    try:
        order = a_foreign_order(raw)
        return order is not None and not ORDER_ID.fullmatch(order.client_order_id)
    except UnreadableFieldError:
        return False


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
