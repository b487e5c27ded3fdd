"""Build order rows: the effect of each if it filled now, and its marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from core.execution.excess_exits import beyond, effect_now
from core.execution.order import Order
from core.model.codes import CancelCode, EndCode
from core.model.order import OrderStatus
from core.model.order_terms import StatedTerms
from core.model.values import NO_SHARES, Quantity, Symbol
from core.trading_state.state import TradingState
from core.views import OrderRow, RowMark
from core.views.builders.displaced_orders import goes_back_in_words
from core.workflows.protection.owed_stops import stop_by_desk


def order_row(state: TradingState, order: Order, told: Mapping[Symbol, Quantity]) -> OrderRow:
    ledger = state.ledger
    is_held = order.is_working and ledger.legs.is_held(order)
    patience = timedelta(seconds=float(state.control.settings.execution.warning_seconds))
    is_halted = order.is_working and order.request.symbol in state.normaliser.state.halted
    drawn = _drawn(order, patience, is_to_replace=ledger.chains.replaced(order) is not None, is_held=is_held)
    over = beyond(ledger, order, told)
    more = (RowMark.MORE_THAN_HELD,) if over > 0 else ()
    waits = (RowMark.WAITS_TO_BE_SENT,) if state.sightings.departing.is_held_up(order, state.at) else ()
    marks = (*drawn.marks, *((RowMark.HALTED,) if is_halted else ()), *more, *waits)
    holder, back = stop_by_desk(state, order), goes_back_in_words(state, order)
    effect = effect_now(ledger, order, told)
    return replace(
        drawn, effect=effect, marks=marks, stop_by_desk=holder, goes_back_in_words=back, beyond=max(over, NO_SHARES)
    )


def _outcome(order: Order) -> str:
    """Return `REPLACED by d2733f`, `CANCELLED by you`; empty if status and reason suffice."""
    if order.made_way:
        replacement = order.replaced_by or order.replacement
        return f"REPLACED by {replacement}" if replacement else "REPLACED"
    is_yours = order.cancel_code is CancelCode.OPERATOR and order.end_code is EndCode.AS_ITS_STATE_SAYS
    return "CANCELLED by you" if order.status is OrderStatus.CANCELLED and is_yours else ""


def _drawn(order: Order, patience: timedelta, *, is_to_replace: bool, is_held: bool) -> OrderRow:
    marks = (
        *((RowMark.CANCELLING,) if order.is_cancelling else ()),
        *((RowMark.IN_DOUBT,) if order.in_doubt_since and order.is_working else ()),
        *((RowMark.WARNED,) if order.warning_waits else ()),
        *((RowMark.LATE_FILL,) if order.late_fill else ()),
        *((RowMark.RESTATED,) if order.terms_before is not None else ()),
        *((RowMark.BEING_REPLACED,) if order.is_being_replaced else ()),
        *((RowMark.TO_REPLACE,) if is_to_replace else ()),
        *((RowMark.HELD,) if is_held else ()),
        *((RowMark.REPLACED,) if order.replaced_by and not order.is_working and not order.made_way else ()),
    )
    outcome = _outcome(order)
    return OrderRow(
        id=order.id,
        strategy=order.strategy,
        side=order.request.side,
        effect=order.request.effect,
        quantity=order.request.quantity,
        symbol=order.request.symbol,
        type=order.request.type,
        limit_price=order.request.limit_price,
        stop_price=order.request.stop_price,
        trail_price=order.request.trail_price,
        trail_fraction=order.request.trail_fraction,
        legs=order.request.legs,
        is_paired=order.is_target,
        parent=order.parent,
        status=order.status,
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
        created_at=order.created_at,
        ended_at=order.ended_at,
        expires_at=order.expires_at,
        is_protective=order.is_protective,
        marks=marks,
        reason="" if outcome else order.reason,
        outcome=outcome,
        warnings=order.warnings,
        restated=order.terms_before.in_words(StatedTerms.of_order(order.request)) if order.terms_before else "",
        taken_back_at=order.taken_back_at(patience),
        is_entry=not order.only_reduces,
    )
