"""The loss if every stop filled now, which the risk budget limits (RK-21).

A position is measured from its last price to its working stops; shares without a working stop are measured to the stop
that the desk holds. If the desk holds none, the whole value counts: a stop that the operator holds (YOU) limits no loss
until the operator acts. A stop that the price has passed while the shares are still held limits no loss either: those
shares count with their loss since the entry, or the distance from the price to the stop if that is larger. A stop in
doubt does not protect. Working entries count as if they were filled.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.execution.order import Order
from core.model.order import StopHolder
from core.model.position import Position
from core.model.staging import NoStop, StopPlan
from core.model.values import ZERO, ClientOrderId, Money, Price, Symbol

LastPrice = Callable[[Symbol], Price | None]


def open_losses(ledger: Ledger, last: LastPrice, but: ClientOrderId | None = None) -> Money:
    """Sum the open loss of all positions and working entries, in USD.

    `but` is left out because the asking order replaces it.
    """
    guards: dict[str, list[Order]] = {}
    lost = ZERO
    for order in ledger.working():
        if order.only_reduces:
            if order.is_protective and not ledger.legs.is_held(order) and not ledger.chains.is_in_doubt(order):
                guards.setdefault(position_key(order.request.symbol, order.strategy), []).append(order)
        elif order.id != but and ledger.chains.replaced(order) is None:
            lost += _of_entry(order)
    for position in ledger.positions():
        stops = guards.get(position_key(position.symbol, position.strategy), [])
        guarded = [stop for stop in stops if ledger.chains.replaced(stop) is None]
        lost += _of_position(ledger, position, guarded, last(position.symbol) or position.average_price)
    return Money(lost)


def _of_position(ledger: Ledger, position: Position, guards: list[Order], price: Price) -> Decimal:
    """Sum the loss over the stops, the farthest first: if there are more stops than needed, the nearer ones may not
    fill.
    """
    of, left, lost = position.instrument, abs(position.quantity), ZERO
    stops = [(way, stop.remaining) for stop in guards if (way := _way(stop, position, price)) is not None]
    for way, quantity in sorted(stops, reverse=True):
        taken = min(quantity, left)
        lost, left = lost + of.risk(taken, way), left - taken
    return lost + of.risk(left, _unprotected_way(ledger, position, price)) if left else lost


def _way(stop: Order, position: Position, price: Price) -> Decimal | None:
    """Return the loss per share at a broker-held stop, in USD; None if the stop has no price."""
    request = stop.request
    if request.stop_price is not None:
        return _way_to(request.stop_price, position, price)
    if request.trail_price is not None:
        return request.trail_price
    return None if request.trail_fraction is None else request.trail_fraction * price


def _unprotected_way(ledger: Ledger, position: Position, price: Price) -> Decimal:
    """Return the loss per share of shares without a stop at the broker, in USD."""
    entry = ledger.order(position.entry_order)
    plan = entry.stop if entry is not None else None
    is_watched = plan is not None and plan.holder is StopHolder.DESK
    return _way_to(plan.price, position, price) if plan is not None and is_watched else price


def _way_to(stop: Price, position: Position, price: Price) -> Decimal:
    """Return the loss per share at a stop, in USD.

    If the price has passed the stop, it is the loss by price, at most the price.
    """
    sign = 1 if position.quantity > 0 else -1
    way = (price - stop) * sign
    if way >= ZERO:
        return way
    return min(max((position.average_price - price) * sign, -way), price)


def _of_entry(order: Order) -> Decimal:
    farthest = order.request.limit_price or order.intended_price or ZERO
    return order.request.instrument.risk(order.remaining, at_stake(order.counted_price, farthest, order.stop))


def at_stake(price: Decimal, farthest: Decimal, stop: StopPlan | NoStop | None) -> Decimal:
    """Return USD per share at risk: from the entry's `farthest` fill to its stop, or `price` if the desk and the broker
    hold no stop.
    """
    if not isinstance(stop, StopPlan) or stop.holder is StopHolder.YOU:
        return price
    return stop.way_from(farthest)
