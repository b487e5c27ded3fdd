"""What a working order would do if it filled now: positions come and go while it rests, and its label follows them."""

from __future__ import annotations

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.order import Effect


def effect_now(ledger: Ledger, order: Order) -> Effect:
    """The effect by the positions of this moment; of an order that is over, the one that it was sent with.

    What was signed does not change: only the word. An "add" whose position is gone opens, and the other way round; an
    exit for all that is held closes.
    """
    signed = order.request.effect
    if not order.is_working:
        return signed
    held = ledger.position(order.request.symbol, order.strategy)
    if signed in (Effect.OPEN, Effect.ADD):
        return Effect.ADD if held is not None and held.quantity > 0 else Effect.OPEN
    if signed in (Effect.REDUCE, Effect.CLOSE) and held is not None and held.quantity > 0:
        return Effect.CLOSE if order.remaining >= held.quantity else Effect.REDUCE
    return signed


def working_entries(ledger: Ledger) -> tuple[Order, ...]:
    """What works and could open or add; of an order and the one that is to take its place, the one that is there."""
    return tuple(order for order in ledger.working_entries() if ledger.incumbent(order) is None)
