"""Why a position's stop cannot be moved now, or a trailing stop or a target given to it (EX-12).

The workflows refuse by these rules, and the views publish the codes, so that a key is refused before its dialog opens.
Nothing is recorded here. What a price decides, the gate, and requests that the broker answers in a moment come later:
they are no reason to open no dialog.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.execution.order import Order
from core.execution.stop_coverage import unreserved_of
from core.model.order import Leg, LegRole, OrderRequest, OrderStatus, OrderType
from core.model.position import Position
from core.model.staging import GuardRefusal
from core.model.values import NO_SHARES, ClientOrderId, Quantity
from core.trading_state.state import TradingState
from core.workflows.staging.proposal_intake import (
    closing_side,
    effect_of_exit,
    exit_in_the_way,
    left_to_close,
    refusal_of_fraction,
)


def stops_of(state: TradingState, position: Position) -> list[Order]:
    """Return the working stops at the broker, each once."""
    ledger = state.ledger
    exits = (o for o in ledger.exits.working(position.symbol, position.strategy) if not ledger.legs.is_held(o))
    return [order for order in exits if order.is_protective and ledger.chains.replaced(order) is None]


def unguarded_of(state: TradingState, position: Position) -> Quantity:
    """Return the shares that no stop protects, no exit sells or may sell, and no entry's legs will protect."""
    unreserved = unreserved_of(state.ledger, position)
    if unreserved <= 0:
        return NO_SHARES
    held = unreserved - state.ledger.legs.left_to_legs(position.symbol, position.strategy)
    return Quantity(max(min(held, _left(state, position)), NO_SHARES))


def waits_for_entry(state: TradingState, position: Position) -> bool:
    """Whether the broker's stop is to come, for all shares of an entry that is filled in part."""
    return any(entry.filled_quantity for entry in _waited_for(state, position))


def refusal_of_move(state: TradingState, position: Position) -> GuardRefusal | None:
    """Return why none of its stops takes another price now, and none is missing; None if one does."""
    return state.of_records(("move", position.symbol, position.strategy), partial(_of_move, state, position))


def refusal_of_trail(state: TradingState, position: Position) -> GuardRefusal | None:
    """Return why no trailing stop can take the place of its stops and targets now; None if one can."""
    return state.of_records(("trail", position.symbol, position.strategy), partial(_of_trail, state, position))


def refusal_of_target(state: TradingState, position: Position) -> GuardRefusal | None:
    """Return why no target, with its nearest stop, can take the place of its stops and targets now."""
    return state.of_records(("target", position.symbol, position.strategy), partial(_of_target, state, position))


def _of_move(state: TradingState, position: Position) -> GuardRefusal | None:
    if waits_for_entry(state, position):
        return GuardRefusal.ENTRY_FILLS
    stops = stops_of(state, position)
    if any(stop.request.type.trails for stop in stops):
        return GuardRefusal.TRAILS
    if any(stop.status is not OrderStatus.PENDING or stop.in_doubt_since is None for stop in stops):
        return None
    if unguarded_of(state, position) > 0:
        return None
    if stops:
        return GuardRefusal.UNANSWERED
    exits = state.ledger.exits.working(position.symbol, position.strategy)
    is_at_limit = any(order.waits_at_limit and order.idle is None for order in exits)
    has_another = any(not order.stands_by or order.is_cancelling for order in exits)
    return GuardRefusal.EXIT_AT_LIMIT if is_at_limit and not has_another else _of_exits(state, position)


def _of_trail(state: TradingState, position: Position) -> GuardRefusal | None:
    if waits_for_entry(state, position):
        return GuardRefusal.ENTRY_FILLS
    return _of_exit(state, position, OrderType.TRAILING_STOP)


def _of_target(state: TradingState, position: Position) -> GuardRefusal | None:
    if waits_for_entry(state, position):
        return GuardRefusal.ENTRY_FILLS
    stops = stops_of(state, position)
    if any(stop.request.type.trails for stop in stops):
        return GuardRefusal.TRAILS
    beside = tuple(Leg(LegRole.STOP, stop_price=stop.request.stop_price) for stop in stops[:1])
    return _of_exit(state, position, OrderType.LIMIT, beside)


def _of_exit(
    state: TradingState, position: Position, type: OrderType, legs: tuple[Leg, ...] = ()
) -> GuardRefusal | None:
    """Return what refuses an exit of this type for all that is left to close."""
    if (waiting := exit_in_the_way(state, position)) is not None:
        return waiting
    left, side = _left(state, position), closing_side(position)
    if left <= 0:
        return _of_exits(state, position)
    if left % 1 == 0:
        return None
    effect = effect_of_exit(side, left, abs(position.quantity))
    order = OrderRequest(ClientOrderId(""), position.symbol, side, effect, left, type, legs=legs)
    return None if refusal_of_fraction(order) is None else GuardRefusal.FRACTION


def _of_exits(state: TradingState, position: Position) -> GuardRefusal:
    """Return what its exits of all shares do."""
    exits = state.ledger.exits
    if any(not order.stands_by for order in exits.doubted(position.symbol, position.strategy)):
        return GuardRefusal.EXIT_IN_DOUBT
    if exits.idle(position.symbol, position.strategy):
        return GuardRefusal.EXIT_IDLE
    return GuardRefusal.EXIT_WORKS


def _left(state: TradingState, position: Position) -> Quantity:
    return left_to_close(state, position.symbol, position.strategy, closing_side(position))


def _waited_for(state: TradingState, position: Position) -> Iterator[Order]:
    """Yield entries that a broker-held stop waits for: with a part filled, that stop will cover all shares."""
    for order in state.ledger.exits.working(position.symbol, position.strategy):
        is_held = order.parent is not None and state.ledger.legs.is_held(order)
        entry = state.ledger.order(order.parent) if is_held and order.parent is not None else None
        if entry is not None:
            yield entry
