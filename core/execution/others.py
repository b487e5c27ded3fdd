"""Orders of somebody else's that hold shares which this desk would close: named, never cancelled (EX-09)."""

from __future__ import annotations

from collections.abc import Iterable

from core.execution.ledger import Ledger
from core.model.broker import OrderReport
from core.model.order import OrderRequest, Side
from core.model.values import ZERO, Quantity, Symbol, plain


def held_by_others(others: Iterable[OrderReport], symbol: Symbol, side: Side) -> str:
    """Which of them would close the same shares, and what to do; empty where none does."""
    holding = [order for order in others if (order.symbol, order.side) == (symbol, side)]
    named = ", ".join(
        f"{order.side.value} {order.type.value} {plain(_left(order))} {symbol} (order {order.broker_order_id[:8]})"
        for order in holding
    )
    return f"somebody else's {named} holds the shares: cancel it at the broker first" if holding else ""


def in_the_way_of(order: OrderRequest, others: Iterable[OrderReport], ledger: Ledger) -> str:
    """What keeps the broker from taking this exit, in the same words; empty where enough shares are free."""
    others = tuple(others)
    if not order.effect.only_reduces:
        return ""
    taken = sum((_left(o) for o in others if (o.symbol, o.side) == (order.symbol, order.side)), ZERO)
    is_free = order.quantity <= abs(ledger.net_quantity(order.symbol)) - taken
    return "" if is_free else held_by_others(others, order.symbol, order.side)


def _left(order: OrderReport) -> Quantity:
    return Quantity(order.quantity - order.filled_quantity)
