"""Describe the effect of an exit on our orders that reserve its shares, for tickets and baskets (EX-21)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from core.execution.order import Order, nearest_first
from core.model.order import OrderRequest, OrderType, Side, Terms
from core.model.order_terms import order_in_words, stop_in_words
from core.model.staging import AuthorizationKind
from core.model.values import ClientOrderId, Quantity, plain, priced
from core.trading_state.state import TradingState
from core.workflows.orders.closing_sales import ClosingSales


def orders_in_the_way(state: TradingState, cancels: Iterable[ClientOrderId]) -> list[Order]:
    return [order for order_id in cancels if (order := state.ledger.order(order_id)) is not None]


def quantity_after(state: TradingState, order: OrderRequest, strategy: str) -> Quantity:
    """Return its position once it is completely filled; negative for a short."""
    held = state.ledger.position(order.symbol, strategy)
    signed = order.quantity if order.side is Side.BUY else -order.quantity
    return Quantity((held.quantity if held else Decimal(0)) + signed)


def cancelled_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    return tuple(order_in_words(order.request) for order in orders)


def put_back_in_words(state: TradingState, orders: Sequence[Order], left: Decimal) -> tuple[str, ...]:
    """Return the stops restored after a partial close, as text, nearest first: `7 at 520.00`, or by what they trail.

    Then stops that were cancelled for an exit which is now cancelled for this one, and that are owed since.
    """
    stops = [(o.remaining, o.request.terms) for o in nearest_first(o for o in orders if o.is_protective)]
    return _shared_out([*stops, *_owed_after(state, orders)], left)


def goes_back_in_words(state: TradingState, order: Order) -> tuple[str, ...]:
    """Return the stops that are restored if this selling order is cancelled: `6 at 99.00`."""
    is_guard = order.is_working and (order.is_protective or order.is_target)
    return _shared_out(_owed_after(state, [order]), order.remaining) if is_guard else ()


def _owed_after(state: TradingState, orders: Iterable[Order]) -> list[tuple[Quantity, Terms]]:
    sales, names = ClosingSales(state), {order.id for order in orders}
    uses = state.stage.mandates(AuthorizationKind.RESTORE_STOP)
    owed = [use for use in uses if not names.isdisjoint(order.id for order in sales.line(use))]
    return [
        (
            Quantity(sales.owed_at_most(use)),
            use.mandate.terms or (OrderType.STOP, None, use.mandate.stop_price, None, None),
        )
        for use in reversed(owed)
    ]


def _shared_out(stops: Iterable[tuple[Quantity, Terms]], left: Decimal) -> tuple[str, ...]:
    found: dict[str, Decimal] = {}
    for quantity, terms in stops:
        back = min(quantity, left)
        if back > 0 and (place := stop_in_words(terms)):
            found[place] = found.get(place, Decimal(0)) + back
            left -= back
    return tuple(f"{plain(quantity)} {place}" for place, quantity in found.items())


def lost_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    """Return targets and other orders that are not stops: they are not restored."""
    return cancelled_in_words(order for order in orders if not order.is_protective)


def lost_targets(in_the_way: Iterable[Order], order: OrderRequest, after: Quantity) -> tuple[str, ...]:
    """`186.84`: targets that a sale cancels and that shares which stay would have; the broker's own sale has none."""
    if order.legs or not (after or order.type.waits):
        return ()
    targets = (o.request.limit_price for o in in_the_way if o.is_target or (o.only_reduces and o.request.type.rests))
    return tuple(dict.fromkeys(priced(price) for price in targets if price is not None))
