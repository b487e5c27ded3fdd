"""What the account would lose if every stop filled now: the measure of the risk budget (RK-21).

A position is measured from its last price to the stops that work for it; what they leave bare counts to the stop that
the desk or a person holds, and whole where nobody holds one. A stop that is in doubt guards nothing. Entries on their
way count as if they were filled.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.execution.ledger import Ledger, position_key
from core.execution.order import Order
from core.model.order import StopHolder
from core.model.position import Position
from core.model.values import ZERO, ClientOrderId, Money, Price, Symbol

LastPrice = Callable[[Symbol], Price | None]


def open_losses(ledger: Ledger, last: LastPrice, but: ClientOrderId | None = None) -> Money:
    """USD over all positions and all entries on their way; `but` makes way for the order that asks."""
    guards: dict[str, list[Order]] = {}
    lost = ZERO
    for order in ledger.working():
        if order.only_reduces:
            if order.is_protective and not ledger.is_held(order) and not ledger.is_in_doubt(order):
                guards.setdefault(position_key(order.request.symbol, order.strategy), []).append(order)
        elif order.id != but and ledger.incumbent(order) is None:
            lost += _of_entry(order)
    for position in ledger.positions():
        stops = guards.get(position_key(position.symbol, position.strategy), [])
        guarded = [stop for stop in stops if ledger.incumbent(stop) is None]
        lost += _of_position(ledger, position, guarded, last(position.symbol) or position.average_price)
    return Money(lost)


def _of_position(ledger: Ledger, position: Position, guards: list[Order], price: Price) -> Decimal:
    """The farthest stops first: where there are more than are needed, the nearer ones may be the idle ones."""
    sign, left, lost = (1 if position.quantity > 0 else -1), abs(position.quantity), ZERO
    stops = [(way, stop.remaining) for stop in guards if (way := _way(stop, price, sign)) is not None]
    for way, quantity in sorted(stops, reverse=True):
        taken = min(quantity, left)
        lost, left = lost + taken * max(way, ZERO), left - taken
    return lost + left * _bare_way(ledger, position, price, sign) if left else lost


def _way(stop: Order, price: Price, sign: int) -> Decimal | None:
    """USD from the last price to the stop; below zero where it is passed already."""
    request = stop.request
    if request.stop_price is not None:
        return (price - request.stop_price) * sign
    if request.trail_price is not None:
        return request.trail_price
    return None if request.trail_fraction is None else request.trail_fraction * price


def _bare_way(ledger: Ledger, position: Position, price: Price, sign: int) -> Decimal:
    """USD a share that no stop at the broker guards."""
    entry = ledger.order(position.entry_order)
    plan = entry.stop if entry is not None else None
    if plan is None or plan.holder is StopHolder.BROKER:
        return price
    return max((price - plan.price) * sign, ZERO)


def _of_entry(order: Order) -> Decimal:
    price = order.request.limit_price or order.intended_price or ZERO
    return order.remaining * (price if order.stop is None else order.stop.way_from(price))
