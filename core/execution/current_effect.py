"""Effect of a working order if it filled now: positions change while it rests, and its label follows them."""

from __future__ import annotations

from core.execution.excess_exits import NOTHING_TOLD, Told, exits_beyond, only_opens
from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.order import Effect, Side


def effect_now(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> Effect:
    """Return the effect by the current positions; for an order that has ended, the one that it was sent with.

    The signed order does not change, only its label. An "add" whose position is gone opens, and the other way round; an
    exit for the whole position closes; one with nothing left to close opens the other side.
    """
    signed = order.request.effect
    if not order.is_working:
        return signed
    held = ledger.position(order.request.symbol, order.strategy)
    if signed in (Effect.OPEN, Effect.ADD):
        return Effect.ADD if held is not None and held.quantity > 0 else Effect.OPEN
    if only_opens(ledger, order, told):
        return Effect.SHORT if order.request.side is Side.SELL else Effect.OPEN
    if signed in (Effect.REDUCE, Effect.CLOSE) and held is not None and held.quantity > 0:
        return Effect.CLOSE if order.remaining >= held.quantity else Effect.REDUCE
    return signed


def working_entries(ledger: Ledger) -> tuple[Order, ...]:
    """Return working entries, including exits with nothing left to close.

    Of an order and its pending replacement, only the order at the broker.
    """
    entries = (order for order in ledger.working_entries() if ledger.chains.replaced(order) is None)
    strays = (order for order, left in exits_beyond(ledger) if left <= 0)
    return (*entries, *strays)
