"""What the account would lose if every stop filled now: the measure of the risk budget (RK-21).

A position is measured from its last price to the stops that work for it; what they leave bare counts to the stop that
the desk or a person holds, and whole where nobody holds one. A stop that is in doubt guards nothing. Entries on their
way count as if they were filled.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.order import StopHolder
from core.model.position import Position
from core.model.values import ZERO, ClientOrderId, Money, Price, Symbol

LastPrice = Callable[[Symbol], Price | None]


def open_losses(ledger: Ledger, last: LastPrice, but: ClientOrderId | None = None) -> Money:
    """USD over all positions and all entries on their way; `but` makes way for the order that asks."""
    held = sum((_of_position(ledger, p, last(p.symbol) or p.average_price) for p in ledger.positions()), ZERO)
    entries = (o for o in ledger.working_entries() if o.id != but and ledger.incumbent(o) is None)
    return Money(held + sum((_of_entry(order) for order in entries), ZERO))


def _of_position(ledger: Ledger, position: Position, price: Price) -> Decimal:
    sign, left, lost = (1 if position.quantity > 0 else -1), abs(position.quantity), ZERO
    for quantity, way in sorted(_stops(ledger, position, price, sign), key=lambda stop: -stop[1]):
        taken = min(quantity, left)
        lost, left = lost + taken * max(way, ZERO), left - taken
    return lost + left * _bare_way(ledger, position, price, sign)


def _stops(ledger: Ledger, position: Position, price: Price, sign: int) -> list[tuple[Decimal, Decimal]]:
    """Shares of each stop that works, and the way to it, USD."""
    exits = ledger.working_exits(position.symbol, position.strategy)
    guards = [o for o in exits if o.is_protective and not ledger.is_held(o) and not ledger.is_in_doubt(o)]
    found = [(o.remaining, _way(o, price, sign)) for o in guards if ledger.incumbent(o) is None]
    return [(quantity, way) for quantity, way in found if way is not None]


def _way(stop: Order, price: Price, sign: int) -> Decimal | None:
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
    return order.remaining * (price if order.stop is None else abs(price - order.stop.price))
