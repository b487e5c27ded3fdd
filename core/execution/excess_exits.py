"""Exits that ask for more than is held, and the effect of a working order if it filled now.

The held shares are allocated to the owner's working exits in turn: first to exits at any price, then to stops, the
nearest first, then to exits at a limit. A stop and a target of one pair share the same shares: a fill of one reduces
the other, and no exit of other shares. An exit could open the quantity beyond its allocation (EX-13, OP-07).

The position is that of our books, or a smaller one that the broker's books show while a person has yet to accept it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.execution.ledger import Ledger
from core.execution.order import Order, nearest_first
from core.model.order import Effect, OrderRequest, OrderStatus, Side
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol

Told = Mapping[Symbol, Quantity]
"""The broker's quantity of each symbol of which our books have more, until a person decides."""
NOTHING_TOLD: Told = {}


def exits_beyond(ledger: Ledger, told: Told = NOTHING_TOLD) -> list[tuple[Order, Quantity]]:
    """Return each working exit that asks for more than its allocation, with the allocation."""
    owners = dict.fromkeys((o.request.symbol, o.strategy) for o in ledger.working() if o.only_reduces)
    return [pair for symbol, strategy in owners for pair in _beyond(ledger, symbol, strategy, told)]


def beyond(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> Quantity:
    """Return the shares of a working exit beyond its allocation; none for an entry."""
    if not order.only_reduces or not order.is_working:
        return NO_SHARES
    found = (left for exit_, left in _beyond(ledger, order.request.symbol, order.strategy, told) if exit_ is order)
    return next((Quantity(order.remaining - left) for left in found), NO_SHARES)


def only_opens(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> bool:
    """Whether nothing is left for a working exit: any fill opens."""
    over = beyond(ledger, order, told)
    return over > 0 and over == order.remaining


def free_of_exits(ledger: Ledger, symbol: Symbol, strategy: str, side: Side, told: Told = NOTHING_TOLD) -> Quantity:
    """Return the held shares that no working exit on this side would close."""
    return _shared_out(ledger, symbol, strategy, side, told)[1]


def refusal_of_less(old: Order | None, order: OrderRequest) -> str | None:
    """Return why this order is not a reduction of the signed one in its place; None if it is (OP-02)."""
    if old is None or not order.effect.only_reduces:
        return "there is no such exit to make less of"
    signed = old.request
    if (order.instrument_legs, order.terms) != (signed.instrument_legs, signed.terms):
        return "it is another order than the one that it would make less of"
    if order.legs and order.legs != signed.legs:
        return "it has other legs than the order that it would make less of"
    if old.is_working is not (order.replaces == old.id):
        return "the order that it would make less of is there, and it would work beside it"
    if order.quantity > (old.remaining if old.owed is None else min(old.remaining, old.owed)):
        return "it asks for more than the order that it would make less of"
    return None


def _beyond(ledger: Ledger, symbol: Symbol, strategy: str, told: Told) -> Iterable[tuple[Order, Quantity]]:
    for side in Side:
        given, _ = _shared_out(ledger, symbol, strategy, side, told)
        yield from ((order, left) for order, left in given if order.remaining > left)


def _shared_out(
    ledger: Ledger, symbol: Symbol, strategy: str, side: Side, told: Told
) -> tuple[list[tuple[Order, Quantity]], Quantity]:
    """Return the allocation of each exit on this side, and the shares left after all of them."""
    exits = [o for o in ledger.exits.working(symbol, strategy) if o.request.side is side and _may_fill(ledger, o)]
    held = _held(ledger, symbol, strategy, told)
    left = Quantity(max(held if side is Side.SELL else -held, NO_SHARES))
    given: list[tuple[Order, Quantity]] = []
    for pair in _in_turn(exits) if len(exits) > 1 else [exits] if exits else ():
        share = min(left, _asked_by(ledger, pair))
        left = Quantity(left - share)
        given += [(order, share) for order in pair]
    return given, left


def _asked_by(ledger: Ledger, pair: list[Order]) -> Quantity:
    """Return the shares that a pair still has to close: the fills of one reduce the other.

    The broker may not have reduced the other one yet. Until then the shares are subtracted only from the pair's own.
    """
    asked, one = min(o.remaining for o in pair), pair[0]
    made = (one, *ledger.legs.oco_siblings(one))
    if any(order.status is OrderStatus.FILLED for order in made):
        return NO_SHARES
    entry = ledger.order(one.parent) if one.role is not None and one.parent is not None else None
    if entry is None or entry.only_reduces:
        return asked
    closed = sum((leg.filled_quantity for leg in made), ZERO)
    return Quantity(min(asked, max(entry.filled_quantity - closed, ZERO)))


def _held(ledger: Ledger, symbol: Symbol, strategy: str, told: Told) -> Quantity:
    """Return our quantity, or the broker's smaller one if the symbol has one owner.

    With several owners it is unknown whose shares are missing, unless all are.
    """
    position = ledger.position(symbol, strategy)
    ours = position.quantity if position is not None else NO_SHARES
    theirs = told.get(symbol)
    if theirs == 0:
        return NO_SHARES
    if theirs is None or theirs * ours <= 0 or len(ledger.positions_in(symbol)) > 1:
        return ours
    return min(ours, theirs, key=abs)


def _may_fill(ledger: Ledger, order: Order) -> bool:
    """Whether it can fill now: not a leg that waits for its entry, nor a replacement of an order that still works."""
    return (
        not ledger.legs.is_held(order)
        and ledger.chains.replaced(order) is None
        and not ledger.chains.is_forestalled(order)
    )


def _in_turn(exits: list[Order]) -> Iterable[list[Order]]:
    """Return the exits by pairs, in the order of allocation."""
    at_any_price = [o for o in exits if takes_any_price(o)]
    stops = nearest_first(o for o in exits if o.is_protective)
    first: dict[ClientOrderId, list[Order]] = {}
    for order in (*at_any_price, *stops, *(o for o in exits if not takes_any_price(o) and not o.is_protective)):
        first.setdefault(_pair_of(order), []).append(order)
    return first.values()


def takes_any_price(order: Order) -> bool:
    """Whether an exit sells as soon as it can: neither a stop nor an exit at a limit."""
    return not (order.is_protective or order.is_target or order.request.limit_price is not None)


def _pair_of(order: Order) -> ClientOrderId:
    return order.parent if order.role is not None and order.parent is not None else order.id


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
