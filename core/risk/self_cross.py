"""Whether an order would trade against another of the same account, or the broker would take it to (RK-25).

Two rules. Prices that meet are every broker's: what trades at once takes what rests on the other side. Alpaca's own
("User Protection, Preventing Wash Trades") asks less: whatever may take any price, stops among them, meets whatever is
on the other side; two prices are compared; orders with legs, those legs, and trailing stops are left out of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.order import OrderClass, OrderRequest, OrderStatus, OrderType, Side
from core.model.quote import NoQuote, Quote
from core.model.values import Price, plain, priced

SHORT = 6
"""Characters of an order's id by which a person finds it in Orders."""


def name_of(order: Order) -> str:
    """`3f9a02 SELL 0.5 SPY limit 103.00`: enough to find it in Orders."""
    request = order.request
    terms = [request.type.word]
    terms += [priced(price) for price in (request.stop_price, request.limit_price) if price is not None]
    what = f"{request.side.value.upper()} {plain(order.remaining)} {request.symbol}"
    return f"{order.id[:SHORT]} {what} {' '.join(terms)}"


def crossed_by_entry(
    order: OrderRequest, ledger: Ledger, quote: Quote | NoQuote, *, refuses_wash_trades: bool
) -> Order | None:
    """The first of our own working orders that this entry would meet; none that it takes the place of.

    Two orders that open on both sides of one symbol are refused by every broker, whatever their prices.
    """
    touch = _touch(order.side, quote)
    for resting in _opposite(order, ledger):
        if not resting.only_reduces:
            return resting
        if refuses_wash_trades and _is_wash_trade(order, resting):
            return resting
        if _takes(order, resting, touch):
            return resting
    return None


def crossed_by_exit(order: OrderRequest, ledger: Ledger, *, refuses_wash_trades: bool) -> tuple[Order, ...]:
    """Working entries that this exit would meet, whoever's they are; it takes them back first.

    What takes any price meets every one of them: no quote is asked, so that a ticket stays what was signed. One of
    which the broker has not said yet that it is there is not waited for: an exit waits for no answer (EX-22).
    """
    return tuple(
        resting
        for resting in _opposite(order, ledger)
        if not resting.only_reduces
        and resting.status is not OrderStatus.PENDING
        and not ledger.chains.is_in_doubt(resting)
        and (_takes(order, resting, None) or (refuses_wash_trades and _is_wash_trade(order, resting)))
    )


def _opposite(order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    for resting in ledger.working():
        request = resting.request
        is_other_side = request.symbol == order.symbol and request.side is not order.side
        if is_other_side and resting.id != order.replaces and not ledger.legs.is_held(resting):
            yield resting


def _takes(order: OrderRequest, resting: Order, touch: Price | None) -> bool:
    """Whether the two would trade with each other now: one rests at its limit, and the other reaches it."""
    if order.type.waits or not resting.request.type.rests or resting.request.limit_price is None:
        return False
    bound = order.limit_price if order.limit_price is not None else touch
    return bound is None or _reaches(order.side, bound, resting.request.limit_price)


def _is_wash_trade(order: OrderRequest, resting: Order) -> bool:
    """By Alpaca's table."""
    request = resting.request
    is_exempt = resting.role is not None or any(map(_is_complex, (order, request)))
    if is_exempt or OrderType.TRAILING_STOP in (order.type, request.type):
        return False
    if order.limit_price is None or request.limit_price is None:
        return True
    return _reaches(order.side, order.limit_price, request.limit_price)


def _is_complex(order: OrderRequest) -> bool:
    return order.order_class is not OrderClass.SIMPLE


def _reaches(side: Side, bound: Decimal, resting: Decimal) -> bool:
    """Whether a purchase up to a price, or a sale down to it, reaches one that rests there."""
    return bound >= resting if side is Side.BUY else bound <= resting


def _touch(side: Side, quote: Quote | NoQuote) -> Price | None:
    if isinstance(quote, NoQuote):
        return None
    return quote.ask if side is Side.BUY else quote.bid
