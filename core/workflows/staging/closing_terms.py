"""Properties of an exit: its side, its effect, its typed terms, and the quantity left to close."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.messages.commands import ProposeOrder
from core.model.order import Effect as OrderEffect
from core.model.order import Leg, LegRole, OrderClass, OrderRequest, Side, StopHolder, TimeInForce
from core.model.position import Position
from core.model.staging import AuthorizationKind
from core.model.values import ZERO, Quantity, Symbol, TicketId
from core.trading_state.state import TradingState

NO_FRACTION_OF_A_PAIR = "the broker takes a pair of exits for whole shares only; type whole shares, or one alone"
NO_FRACTION_TRAILS = "the broker trails whole shares only; type whole shares, or a stop at a price"
NO_FRACTION_LASTS = "the broker takes a fraction for the day only; type it for the day, or whole shares"


def left_to_close(
    state: TradingState, symbol: Symbol, strategy: str, side: Side, ticket_id: TicketId | None = None
) -> Quantity:
    """Return the shares that an order on this side would close and that no exit sells or is authorized to sell.

    Never below zero, and zero for a position that has changed its side: there it would add. Its own stops and targets
    do not count: they are cancelled for it (EX-21). Nor does the authorization of `ticket_id` itself.
    """
    position = state.ledger.position(symbol, strategy)
    if position is None or closing_side(position) is not side:
        return Quantity(ZERO)
    out = sum((o.remaining for o in state.ledger.exits.working(symbol, strategy) if not o.stands_by), ZERO)
    for use in state.stage.mandates(AuthorizationKind.CLOSE):
        signed = state.stage.state.confirmations.get(use.mandate.ticket_id)
        is_of_it = signed is not None and (signed.proposal.symbol, signed.proposal.strategy) == (symbol, strategy)
        if is_of_it and use.is_unused and use.mandate.ticket_id != ticket_id:
            out += use.mandate.quantity
    return Quantity(max(abs(position.quantity) - out, ZERO))


def terms_of(request: OrderRequest) -> ProposeOrder:
    """Return a signed exit as a new command with the same terms."""
    stop = request.leg(LegRole.STOP)
    return ProposeOrder(
        request.symbol,
        request.effect,
        request.quantity,
        request.type,
        request.limit_price,
        request.stop_price if stop is None else stop.stop_price,
        StopHolder.BROKER,
        time_in_force=request.time_in_force,
        trail_price=request.trail_price,
        trail_fraction=request.trail_fraction,
    )


def in_terms_of(command: ProposeOrder, order: OrderRequest) -> OrderRequest:
    """Apply typed terms to an exit: a limit with a stop beside it is an OCO pair (EX-12)."""
    order = replace(
        order,
        type=command.type,
        time_in_force=command.time_in_force,
        limit_price=command.limit_price,
        stop_price=command.stop_price if command.type.has_stop else None,
        trail_price=command.trail_price,
        trail_fraction=command.trail_fraction,
    )
    if not command.type.rests or command.stop_price is None:
        return order
    return replace(order, order_class=OrderClass.OCO, legs=(Leg(LegRole.STOP, stop_price=command.stop_price),))


def refusal_of_fraction(order: OrderRequest) -> str | None:
    """Return why the broker never accepts a fraction in these terms; its stop is not cancelled then (EX-11)."""
    if order.quantity % 1 == 0:
        return None
    if order.legs:
        return NO_FRACTION_OF_A_PAIR
    if order.type.trails:
        return NO_FRACTION_TRAILS
    return None if order.time_in_force is TimeInForce.DAY else NO_FRACTION_LASTS


def closing_side(position: Position) -> Side:
    return Side.SELL if position.quantity > 0 else Side.BUY


def effect_of_exit(side: Side, quantity: Decimal, held: Decimal) -> OrderEffect:
    """Return the effect of an exit of this many of the held shares."""
    if side is Side.BUY:
        return OrderEffect.COVER
    return OrderEffect.CLOSE if quantity == held else OrderEffect.REDUCE
