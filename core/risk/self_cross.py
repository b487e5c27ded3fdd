"""Whether an order would trade against another of the same account, or the broker would treat it as a wash trade
(RK-25).

There are two rules. At every broker, an order that trades at once meets resting orders on the other side whose prices
it reaches. Alpaca's own rule ("User Protection, Preventing Wash Trades") is stricter: an order without a limit price,
stops included, meets any order on the other side; two limit prices are compared; orders with legs, those legs, and
trailing stops are exempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.bar import NoQuote, Quote
from core.model.order import OrderClass, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.staging import NoStop, StopPlan
from core.model.values import SHORT_ID, Price, plain, priced


def name_of(order: Order) -> str:
    """As in `3f9a02 SELL 0.5 SPY limit 103.00`: enough to find it in Orders."""
    request = order.request
    terms = [request.type.word]
    terms += [priced(price) for price in (request.stop_price, request.limit_price) if price is not None]
    what = f"{request.side.value.upper()} {plain(order.remaining)} {request.symbol}"
    return f"{order.id[:SHORT_ID]} {what} {' '.join(terms)}"


def crossed_by_entry(
    order: OrderRequest, ledger: Ledger, quote: Quote | NoQuote, *, refuses_wash_trades: bool
) -> Order | None:
    """Return the first of our working orders that this entry would meet, without the order it replaces.

    Every broker refuses two opening orders on both sides of one symbol, whatever their prices.
    """
    touch = _touch(order.side, quote)
    for resting in _opposite(order, ledger):
        if not resting.only_reduces:
            return resting
        if refuses_wash_trades and is_wash_trade(order, resting):
            return resting
        if _takes(order, resting, touch):
            return resting
    return None


def crossed_by_exit(
    order: OrderRequest, ledger: Ledger, quote: Quote | NoQuote, *, refuses_wash_trades: bool
) -> tuple[Order, ...]:
    """Return the working entries, of any owner, that this exit would meet; it cancels them first.

    A market exit meets entries that rest at the touch, and without a quote every one. Entries with legs are exempt at a
    broker with Alpaca's table, unless they rest at the touch. An entry that the broker has not acknowledged is not
    cancelled first: an exit waits for no answer (EX-22).
    """
    touch = _touch(order.side, quote)
    return tuple(
        resting
        for resting in _opposite(order, ledger)
        if not resting.only_reduces
        and resting.status is not OrderStatus.PENDING
        and not ledger.chains.is_in_doubt(resting)
        and _makes_way(order, resting, touch, refuses_wash_trades=refuses_wash_trades)
    )


def _makes_way(order: OrderRequest, resting: Order, touch: Price | None, *, refuses_wash_trades: bool) -> bool:
    if refuses_wash_trades and is_wash_trade(order, resting):
        return True
    is_unpriced = order.limit_price is None and touch is None
    if refuses_wash_trades and is_unpriced:
        return False  # orders with legs and trailing orders, which that broker accepts
    return _takes(order, resting, touch)


def in_the_way_of_stop(order: OrderRequest, stop: StopPlan | NoStop, ledger: Ledger) -> Order | None:
    """By Alpaca's table, return our working order for which the broker would refuse the stop that follows this entry.

    Such a stop has no limit price, so it meets every non-exempt order on the entry's side. The entry's own rest is left
    out, because its fills cannot be foreseen.
    """
    if not sends_its_stop(order, stop):
        return None
    beside = _resting(order.side, order, ledger)
    return next((resting for resting in beside if resting.role is None and is_simple(resting.request)), None)


def whose_stop_it_bars(order: OrderRequest, ledger: Ledger) -> Order | None:
    """By Alpaca's table, return our working entry whose later stop this entry would block."""
    if not is_simple(order):
        return None
    for resting in ledger.working_entries(order.symbol):
        if resting.request.side is not order.side or resting.id == order.replaces or resting.stop is None:
            continue
        if sends_its_stop(resting.request, resting.stop):
            return resting
    return None


def sends_its_stop(order: OrderRequest, stop: StopPlan | NoStop | None) -> bool:
    """Return whether the desk sends the stop as a separate order when this entry fills: no leg is its stop."""
    return isinstance(stop, StopPlan) and stop.holder is StopHolder.BROKER and not _is_complex(order)


def _opposite(order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    return _resting(order.side.opposite, order, ledger)


def _resting(side: Side, order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    """Yield working orders on a side of the symbol, without the replaced order and legs that their holder
    keeps back.
    """
    for resting in ledger.working():
        request = resting.request
        is_there = request.symbol == order.symbol and request.side is side
        if is_there and resting.id != order.replaces and not ledger.legs.is_held(resting):
            yield resting


def _takes(order: OrderRequest, resting: Order, touch: Price | None) -> bool:
    """Return whether the two would trade with each other now: one rests at its limit, and the other reaches it."""
    if order.type.waits or not resting.request.type.rests or resting.request.limit_price is None:
        return False
    bound = order.limit_price if order.limit_price is not None else touch
    return bound is None or _reaches(order.side, bound, resting.request.limit_price)


def is_wash_trade(order: OrderRequest, resting: Order) -> bool:
    """Return whether a broker with Alpaca's table refuses the order while the other rests; a leg is exempt."""
    return resting.role is None and _are_kept_apart(order, resting.request)


def _are_kept_apart(order: OrderRequest, other: OrderRequest) -> bool:
    """Apply Alpaca's table."""
    if any(map(_is_complex, (order, other))) or OrderType.TRAILING_STOP in (order.type, other.type):
        return False
    if order.limit_price is None or other.limit_price is None:
        return True
    return _reaches(order.side, order.limit_price, other.limit_price)


def is_simple(order: OrderRequest) -> bool:
    """Return whether the table covers it: it has no legs, and does not trail."""
    return not _is_complex(order) and order.type is not OrderType.TRAILING_STOP


def _is_complex(order: OrderRequest) -> bool:
    return order.order_class is not OrderClass.SIMPLE


def _reaches(side: Side, bound: Decimal, resting: Decimal) -> bool:
    """Return whether a buy up to a price, or a sale down to it, reaches a resting price."""
    return bound >= resting if side is Side.BUY else bound <= resting


def _touch(side: Side, quote: Quote | NoQuote) -> Price | None:
    if isinstance(quote, NoQuote):
        return None
    return quote.ask if side is Side.BUY else quote.bid
