"""The exchange's rules for a replacement, beyond those for any order.

As at Alpaca: the answer is a new order with new ids, and the old one is `replaced`. The requested quantity is
the new order's own: the old one's fills are not subtracted. Only whole shares can be changed in number. A replaced
order with legs gets new ones; the replacement of a leg is a leg in its place.
"""

from __future__ import annotations

from core.brokers.simulated.book import BookedOrder
from core.brokers.simulated.rules import is_whole
from core.model.broker import Refused
from core.model.codes import RefusalKind
from core.model.order import OrderRequest


def refusal_to_replace(old: BookedOrder | None, order: OrderRequest) -> Refused | None:
    """Return why this order cannot replace `old`, or None."""
    if old is None:
        return Refused(RefusalKind.NO_SUCH_ORDER, f"order not found for {order.replaces}")
    if not old.is_working:
        return Refused(RefusalKind.NOT_WORKING, f'order is already in "{old.report().raw_status}" state')
    if old.takes_any_price:
        return _invalid("an order that takes any price cannot be replaced")
    before = old.request
    if (before.symbol, before.side, before.type) != (order.symbol, order.side, order.type):
        return _invalid("symbol, side and type of an order cannot be changed")
    if _terms(before) == _terms(order):
        return Refused(RefusalKind.FORBIDDEN, "order parameters are not changed")
    if before.legs != order.legs:
        return _invalid("legs of an order cannot be changed with it")
    if before.quantity != order.quantity and not (is_whole(before.quantity) and is_whole(order.quantity)):
        return _invalid("qty of a fractional order cannot be changed")
    return None


def _terms(order: OrderRequest) -> tuple[object, ...]:
    return order.quantity, order.terms, order.time_in_force


def _invalid(message: str) -> Refused:
    return Refused(RefusalKind.UNPROCESSABLE, message)
