"""Exits that ask for more than is held: positions come and go while they rest, and the rest would open the other side.

What is held now is given to the working exits of its owner, one after the other: first to what sells at any price, then
to stops, the nearest first, then to what waits at a limit. A stop and a target of one pair have the same shares, which
either would close: what one of them closed is taken off the other, and off no exit of other shares. What an exit asks
for beyond what it was given, it could open (EX-13, OP-07).

Held is what our books say; less, where the broker's say less of it and a person is still to take its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.execution.ledger import Ledger
from core.execution.order import Order, nearest_first
from core.model.order import OrderRequest, OrderStatus, Side
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol

Told = Mapping[Symbol, Quantity]
"""What the broker's books have of a symbol where ours have more, and a person is still to say which is right."""
NOTHING_TOLD: Told = {}


def exits_beyond(ledger: Ledger, told: Told = NOTHING_TOLD) -> list[tuple[Order, Quantity]]:
    """Each working exit that asks for more than is left for it, and how much is."""
    owners = dict.fromkeys((o.request.symbol, o.strategy) for o in ledger.working() if o.only_reduces)
    return [pair for symbol, strategy in owners for pair in _beyond(ledger, symbol, strategy, told)]


def beyond(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> Quantity:
    """Shares that a working exit asks for and nobody holds for it; none of an entry, which opens by what it is."""
    if not order.only_reduces or not order.is_working:
        return NO_SHARES
    found = (left for exit_, left in _beyond(ledger, order.request.symbol, order.strategy, told) if exit_ is order)
    return next((Quantity(order.remaining - left) for left in found), NO_SHARES)


def only_opens(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> bool:
    """Whether nothing at all is left for a working exit: whatever it fills, it opens."""
    over = beyond(ledger, order, told)
    return over > 0 and over == order.remaining


def free_of_exits(ledger: Ledger, symbol: Symbol, strategy: str, side: Side, told: Told = NOTHING_TOLD) -> Quantity:
    """Shares held now that no working exit on this side would close."""
    return _shared_out(ledger, symbol, strategy, side, told)[1]


def refusal_of_less(old: Order | None, order: OrderRequest) -> str | None:
    """Why this is not less of the very order that was signed, in its place; None where it is (OP-02)."""
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
    """What each exit on this side is given of what is held, and what is left after all of them."""
    exits = [o for o in ledger.exits.working(symbol, strategy) if o.request.side is side and _may_fill(ledger, o)]
    held = _held(ledger, symbol, strategy, told)
    left = Quantity(max(held if side is Side.SELL else -held, NO_SHARES))
    given: list[tuple[Order, Quantity]] = []
    for pair in _in_turn(exits):
        share = min(left, _asked_by(ledger, pair))
        left = Quantity(left - share)
        given += [(order, share) for order in pair]
    return given, left


def _asked_by(ledger: Ledger, pair: list[Order]) -> Quantity:
    """Shares that a pair still has to close: what one of them filled, the other has not to close any more.

    The broker may not have made that other one less yet. Until it has, the shares are taken off the pair's own, and off
    nobody else's.
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
    """Ours, or the less that the broker says of a symbol with one owner; of several nobody knows whose are gone, unless
    all are.
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
    """Not a leg that waits for its entry and goes with it, nor what takes the place of one that still works."""
    return (
        not ledger.legs.is_held(order)
        and ledger.chains.replaced(order) is None
        and not ledger.chains.is_forestalled(order)
    )


def _in_turn(exits: list[Order]) -> Iterable[list[Order]]:
    """The exits by pairs, in the order in which they are given what is held."""
    at_any_price = [o for o in exits if takes_any_price(o)]
    stops = nearest_first(o for o in exits if o.is_protective)
    first: dict[ClientOrderId, list[Order]] = {}
    for order in (*at_any_price, *stops, *(o for o in exits if not takes_any_price(o) and not o.is_protective)):
        first.setdefault(_pair_of(order), []).append(order)
    return first.values()


def takes_any_price(order: Order) -> bool:
    """Whether an exit sells as soon as it can: neither a stop nor what waits at a limit."""
    return not (order.is_protective or order.is_target or order.request.limit_price is not None)


def _pair_of(order: Order) -> ClientOrderId:
    return order.parent if order.role is not None and order.parent is not None else order.id
