"""What a working order would do if it filled now: positions come and go while it rests, and its label follows them."""

from __future__ import annotations

from core.execution.excess_exits import NOTHING_TOLD, Told, exits_beyond, only_opens
from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.order import Effect, Side


def effect_now(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> Effect:
    """The effect by the positions of this moment; of an order that is over, the one that it was sent with.

    What was signed does not change: only the word. An "add" whose position is gone opens, and the other way round; an
    exit for all that is held closes; one that nothing is left for opens the other side.
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
    """What works and opens or adds, exits that nothing is left for among it.

    Of an order and the one that is to take its place, the one that is there.
    """
    entries = (order for order in ledger.working_entries() if ledger.chains.replaced(order) is None)
    strays = (order for order, left in exits_beyond(ledger) if left <= 0)
    return (*entries, *strays)
