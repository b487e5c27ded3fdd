"""Entries whose fills get their stop from this desk only: without a running desk nobody sends or holds it."""

from __future__ import annotations

from collections.abc import Iterator

from core.execution.order import Order
from core.model.order import StopHolder
from core.model.staging import AuthorizationKind
from core.trading_state.state import TradingState


def stop_by_desk(state: TradingState, order: Order) -> StopHolder | None:
    """Return the holder of the stop for fills of a working entry: the broker, sent at each fill, or the desk.

    None if the broker creates it with the entry, or there is none.
    """
    if order.only_reduces or not order.is_working:
        return None
    if order.stop is not None and order.stop.holder is StopHolder.DESK:
        return StopHolder.DESK
    has_legs = order.request.legs and not order.is_bare
    return (
        StopHolder.BROKER
        if not has_legs and state.stage.mandates(AuthorizationKind.PROTECTIVE_STOP, order.id)
        else None
    )


def unguarded(state: TradingState) -> Iterator[tuple[Order, StopHolder]]:
    """Yield the working entries with such a stop."""
    for order in state.ledger.working():
        if (holder := stop_by_desk(state, order)) is not None:
            yield order, holder
