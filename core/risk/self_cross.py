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
from core.model.order import OrderClass, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.quote import NoQuote, Quote
from core.model.staging import NoStop, StopPlan
from core.model.values import SHORT_ID, Price, plain, priced


def name_of(order: Order) -> str:
    """`3f9a02 SELL 0.5 SPY limit 103.00`: enough to find it in Orders."""
    request = order.request
    terms = [request.type.word]
    terms += [priced(price) for price in (request.stop_price, request.limit_price) if price is not None]
    what = f"{request.side.value.upper()} {plain(order.remaining)} {request.symbol}"
    return f"{order.id[:SHORT_ID]} {what} {' '.join(terms)}"


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
        if refuses_wash_trades and is_wash_trade(order, resting):
            return resting
        if _takes(order, resting, touch):
            return resting
    return None


def crossed_by_exit(
    order: OrderRequest, ledger: Ledger, quote: Quote | NoQuote, *, refuses_wash_trades: bool
) -> tuple[Order, ...]:
    """Working entries that this exit would meet, whoever's they are; it takes them back first.

    At the market it meets those that rest at the touch, and without a quote each; those with legs a broker with a table
    exempts, unless they rest at the touch. One of which the broker has not said yet that it is there is not waited for:
    an exit waits for no answer (EX-22).
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
        return False  # what has legs or trails, which that broker takes
    return _takes(order, resting, touch)


def in_the_way_of_stop(order: OrderRequest, stop: StopPlan | NoStop, ledger: Ledger) -> Order | None:
    """By Alpaca's table: the own working order for which the broker would refuse the stop that follows this entry.

    Such a stop may take any price, so it meets whatever stands on the entry's side and the table has a word for. Its
    own rest is none: nobody can foresee how it fills.
    """
    if not sends_its_stop(order, stop):
        return None
    beside = _resting(order.side, order, ledger)
    return next((resting for resting in beside if resting.role is None and is_simple(resting.request)), None)


def whose_stop_it_bars(order: OrderRequest, ledger: Ledger) -> Order | None:
    """By Alpaca's table: the working entry of one's own whose stop, which is to follow it, this entry would bar."""
    if not is_simple(order):
        return None
    for resting in ledger.working_entries(order.symbol):
        if resting.request.side is not order.side or resting.id == order.replaces or resting.stop is None:
            continue
        if sends_its_stop(resting.request, resting.stop):
            return resting
    return None


def sends_its_stop(order: OrderRequest, stop: StopPlan | NoStop | None) -> bool:
    """Whether the desk sends the stop as an order of its own when this entry fills: no leg is its stop."""
    return isinstance(stop, StopPlan) and stop.holder is StopHolder.BROKER and not _is_complex(order)


def _opposite(order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    return _resting(order.side.opposite, order, ledger)


def _resting(side: Side, order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    """What works on a side of the order's symbol; nothing that it takes the place of, no leg that its holder keeps."""
    for resting in ledger.working():
        request = resting.request
        is_there = request.symbol == order.symbol and request.side is side
        if is_there and resting.id != order.replaces and not ledger.legs.is_held(resting):
            yield resting


def _takes(order: OrderRequest, resting: Order, touch: Price | None) -> bool:
    """Whether the two would trade with each other now: one rests at its limit, and the other reaches it."""
    if order.type.waits or not resting.request.type.rests or resting.request.limit_price is None:
        return False
    bound = order.limit_price if order.limit_price is not None else touch
    return bound is None or _reaches(order.side, bound, resting.request.limit_price)


def is_wash_trade(order: OrderRequest, resting: Order) -> bool:
    """Whether a broker with Alpaca's table refuses the order while the other rests: a leg is exempt."""
    return resting.role is None and _are_kept_apart(order, resting.request)


def _are_kept_apart(order: OrderRequest, other: OrderRequest) -> bool:
    """By Alpaca's table."""
    if any(map(_is_complex, (order, other))) or OrderType.TRAILING_STOP in (order.type, other.type):
        return False
    if order.limit_price is None or other.limit_price is None:
        return True
    return _reaches(order.side, order.limit_price, other.limit_price)


def is_simple(order: OrderRequest) -> bool:
    """Whether the table has a word for it: it has no legs, and does not trail."""
    return not _is_complex(order) and order.type is not OrderType.TRAILING_STOP


def _is_complex(order: OrderRequest) -> bool:
    return order.order_class is not OrderClass.SIMPLE


def _reaches(side: Side, bound: Decimal, resting: Decimal) -> bool:
    """Whether a purchase up to a price, or a sale down to it, reaches one that rests there."""
    return bound >= resting if side is Side.BUY else bound <= resting


def _touch(side: Side, quote: Quote | NoQuote) -> Price | None:
    if isinstance(quote, NoQuote):
        return None
    return quote.ask if side is Side.BUY else quote.bid
