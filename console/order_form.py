"""An order typed by hand, from the text of its fields to a command, or to the one line that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.inputs import ProposeOrder
from core.model.order import Effect, OrderType, StopHolder
from core.model.staging import MANUAL
from core.model.values import Price, Quantity, Symbol
from core.views import DeskView

NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
BUY, SELL = "buy", "sell"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which field."""

    field: str
    message: str


class _WrongError(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(field, message)


def read_form(texts: Mapping[str, str], view: DeskView) -> ProposeOrder | Fault:
    """`texts` by field: symbol, effect, quantity, type, limit, stop, holder."""
    try:
        return _read({field: text.strip() for field, text in texts.items()}, view)
    except _WrongError as wrong:
        return wrong.fault


def _read(texts: Mapping[str, str], view: DeskView) -> ProposeOrder:
    symbol = _symbol(texts["symbol"].upper(), view)
    effect = _effect(texts["effect"].lower(), symbol, view)
    kind = _type(texts["type"].lower(), effect)
    limit = _price("limit", texts["limit"])
    stop = _price("stop", texts["stop"])
    if kind is OrderType.LIMIT and limit is None:
        raise _WrongError("limit", "a limit order needs its price, USD")
    if kind is not OrderType.LIMIT and limit is not None:
        raise _WrongError("limit", f"a {kind.value} order has no limit price; clear it, or type limit as its type")
    if kind is OrderType.STOP and stop is None:
        raise _WrongError("stop", "a stop order needs its stop price, USD")
    if effect.only_reduces and kind is not OrderType.STOP and stop is not None:
        raise _WrongError("stop", "an order that closes needs no stop; clear it")
    return ProposeOrder(symbol, effect, _quantity(texts["quantity"]), kind, limit, stop, _holder(texts["holder"]))


def _symbol(text: str, view: DeskView) -> Symbol:
    known = [row.symbol for row in view.symbols]
    if text not in known:
        raise _WrongError("symbol", f"{text or 'nothing'} is not a symbol of this desk: {', '.join(known)}")
    return Symbol(text)


def _effect(text: str, symbol: Symbol, view: DeskView) -> Effect:
    held = [row for row in view.positions if row.symbol == symbol]
    if text in (BUY, "b"):
        if any(row.quantity < 0 for row in held):
            return Effect.COVER
        return Effect.ADD if any(row.strategy == MANUAL for row in held) else Effect.OPEN
    if text in (SELL, "s"):
        if not any(row.quantity > 0 for row in held):
            raise _WrongError("effect", f"there is no {symbol} to sell")
        return Effect.CLOSE
    raise _WrongError("effect", "buy or sell")


def _type(text: str, effect: Effect) -> OrderType:
    try:
        kind = OrderType(text)
    except ValueError:
        raise _WrongError("type", "market, limit, or stop (a stop only closes)") from None
    if kind is OrderType.STOP and not effect.only_reduces:
        raise _WrongError("type", "a stop order only closes; an entry is market or limit, with a stop price beside it")
    return kind


def _quantity(text: str) -> Quantity:
    if not NUMBER.fullmatch(text) or not Decimal(text):
        raise _WrongError("quantity", "shares, a number above zero")
    return Quantity(Decimal(text))


def _price(field: str, text: str) -> Price | None:
    if not text:
        return None
    if not NUMBER.fullmatch(text) or not Decimal(text):
        raise _WrongError(field, "USD for one share, above zero, or empty")
    return Price(Decimal(text))


def _holder(text: str) -> StopHolder:
    try:
        return StopHolder(text.lower())
    except ValueError:
        raise _WrongError("holder", "broker, desk, or you") from None
