"""The shutdown of a desk: fills to wait for, and the report of unfinished orders, in real and virtual time (EX-22)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from core.engine import Engine
from core.model.bar import Quote
from core.model.order import OrderRequest, OrderStatus, Side, StopHolder
from core.model.order_terms import order_in_words
from core.model.session import Session
from core.trading_state.state import TradingState
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.request_reserve import held_exits
from core.workflows.protection.owed_stops import stop_by_desk, unguarded
from core.workflows.staging.confirmation import Confirmations

NOT_SENT = "was not sent before the desk left"
STAGE_AGAIN = "stage it again where it is still wanted"
NEXT_START = "the next start sends it, or asks for it on a ticket"
LOOKED_UP = "the next start looks it up"
UNDECIDED = "Confirmed but not sent. Confirm again after the restart"
STOP_THEN = ", and its stop follows then"
ON_ITS_WAY = "its stop was making way for an exit that has not gone; start again soon, or look at the broker's page"
HELD = "waited for the broker's limit of requests, its stop in force: a start soon sends it, a later one does not"
UNGUARDED = {
    StopHolder.BROKER: "its stop is not sent while the desk is closed",
    StopHolder.DESK: "nobody keeps its stop while the desk is closed",
}
SOON = "start again soon, or cancel it at the broker"


def is_filling(state: TradingState, at: datetime) -> bool:
    """Whether a working entry would fill at the last quote and the desk itself sends its stop."""
    is_open = isinstance(state.calendar.session_at(at), Session)
    return any(
        (is_open or order.request.extended_hours)
        and would_fill(order.request, state.sightings.quotes.get(order.request.symbol))
        for order, holder in unguarded(state)
        if holder is StopHolder.BROKER
    )


def would_fill(order: OrderRequest, quote: Quote | None) -> bool:
    """Whether the order would fill at once: at any price, or at a price that the quote meets."""
    if order.type.goes_at_once:
        return True
    stop, limit = order.stop_price, order.limit_price
    if quote is None or (stop is None and limit is None):
        return False
    price = quote.ask if order.side is Side.BUY else quote.bid
    is_elected = stop is None or (price >= stop if order.type.waits_above(order.side) else price <= stop)
    return is_elected and (limit is None or (price <= limit if order.side is Side.BUY else price >= limit))


# ── final messages ───────────────────────────────────────────────────────────────────────────────────────────────────


def not_sent(order: OrderRequest) -> str:
    """Report an entry that was still queued."""
    return f"{order_in_words(order)} {NOT_SENT}: {STAGE_AGAIN}"


def kept(order: OrderRequest, is_known: bool) -> str:
    """Report a reducing order that was still queued, and whether the next start knows that it never left."""
    return f"{order_in_words(order)} {NOT_SENT}: {NEXT_START if is_known else LOOKED_UP}"


def left_behind(engine: Engine, unanswered: Iterable[OrderRequest]) -> Iterator[str]:
    """Yield the orders with unknown outcome, the unfinished work, and each entry whose fills have no stop meanwhile."""
    state = engine.state
    asked = list(unanswered)
    asked += [
        o.request
        for o in state.ledger.working()
        if o.status is OrderStatus.PENDING and state.ledger.chains.is_in_doubt(o) and o.request not in asked
    ]
    for request in asked:
        yield f"{order_in_words(request)} was sent and not answered: {LOOKED_UP}{_stop_of(state, request)}"
    for confirmed in engine.the(Confirmations).undecided():
        yield f"{order_in_words(confirmed.ticket.order)} {UNDECIDED}"
    for symbol in engine.the(PositionClose).under_way():
        yield f"{symbol}: {ON_ITS_WAY}"
    for held in held_exits(state):
        yield f"{order_in_words(held.ticket.order)} {HELD}"
    for order, holder in unguarded(state):
        if order.request not in asked and not order.is_cancelling:
            yield f"{order_in_words(order.request)} may fill, and {UNGUARDED[holder]}: {SOON}"


def _stop_of(state: TradingState, request: OrderRequest) -> str:
    """Describe when the stop of an entry follows its fills."""
    order = state.ledger.order(request.client_order_id)
    return STOP_THEN if order is not None and stop_by_desk(state, order) is StopHolder.BROKER else ""
