"""Build the rows of orders and positions, and the effect of an exit on other orders (EX-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import repeat

from core.execution.external_orders import held_by_others
from core.execution.order import Order, nearest_first
from core.execution.stop_coverage import beyond, effect_now
from core.facts import Fact, OrdersRecalled
from core.market.calendar import CalendarRangeError
from core.model.codes import CancelCode, EndCode, OwedReason
from core.model.order import (
    AnyOrder,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StopHolder,
    StopKnown,
    Terms,
    TimeInForce,
)
from core.model.order_terms import StatedTerms, order_in_words, stop_in_words
from core.model.position import Position
from core.model.staging import AuthorizationKind, StopPlan
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Price, Quantity, Symbol, plain, priced
from core.staging.time_in_force import end_of_session
from core.trading_state.owed_stops import Owing
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import known_as, shown_price, stop_in_force
from core.views import OrderRow, PositionRow, RowMark
from core.views.builders.symbols import halted_in_words
from core.views.order_chain import subject_of
from core.workflows.holding_health import guards_of, health_of
from core.workflows.orders.request_reserve import held_exit_of, late_exit_of
from core.workflows.orders.sale_chains import SaleChains
from core.workflows.protection.owed_stops import TOLD_AFTER, stop_by_desk
from core.workflows.staging.exit_change_refusals import refusal_of_move, refusal_of_target, refusal_of_trail
from core.workflows.staging.proposal_intake import closing_side


def orders_in_the_way(state: TradingState, cancels: Iterable[ClientOrderId]) -> list[Order]:
    return [order for order_id in cancels if (order := state.ledger.order(order_id)) is not None]


def quantity_after(state: TradingState, order: OrderRequest, strategy: str) -> Quantity:
    """Return its position once it is completely filled; negative for a short."""
    held = state.ledger.position(order.symbol, strategy)
    signed = order.quantity if order.side is Side.BUY else -order.quantity
    return Quantity((held.quantity if held else Decimal(0)) + signed)


def account_after(state: TradingState, order: OrderRequest) -> Quantity:
    """Return what the account holds of its symbol, of every strategy, once it is completely filled."""
    held = sum((p.quantity for p in state.ledger.positions() if p.symbol == order.symbol), Decimal(0))
    return Quantity(held + (order.quantity if order.side is Side.BUY else -order.quantity))


def may_still_fill(state: TradingState, order: OrderRequest) -> Quantity:
    """Return what other working entries of its symbol may still add; negative for short sales."""
    others = (
        o for o in state.ledger.working_entries(order.symbol) if o.id not in (order.replaces, order.client_order_id)
    )
    left = sum((o.remaining if o.request.side is Side.BUY else -o.remaining for o in others), Decimal(0))
    return Quantity(left)


def cancelled_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    return tuple(order_in_words(order.request) for order in orders)


def put_back_in_words(state: TradingState, orders: Sequence[Order], left: Decimal) -> tuple[str, ...]:
    """Return the stops restored after a partial close, as text, nearest first: `7 at 520.00`, or by what they trail.

    Then stops that were cancelled for an exit which is now cancelled for this one, and that are owed since.
    """
    stops = [(o.remaining, o.request.terms) for o in nearest_first(o for o in orders if o.is_protective)]
    return _shared_out([*stops, *_owed_after(state, orders)], left)


def left_behind(state: TradingState, order: OrderRequest, strategy: str) -> Decimal:
    """Return the shares that a close leaves to stops: none that another exit is selling now."""
    exits = state.ledger.exits.working(order.symbol, strategy)
    selling = (o for o in exits if not o.stands_by and o.id != order.client_order_id)
    sold = sum((state.ledger.exits.claim(exit) for exit in selling), ZERO)
    return max(abs(quantity_after(state, order, strategy)) - sold, ZERO)


def trail_starts_in_words(state: TradingState, orders: Iterable[Order]) -> str:
    """Return where a new trailing stop starts, and where it is: `from about 178.83, now 178.82`."""
    trailing = next((order for order in orders if order.is_protective and order.request.type.trails), None)
    quote = None if trailing is None else state.sightings.quotes.get(trailing.request.symbol)
    if trailing is None or quote is None:
        return ""
    start = trailing.request.stop_behind(quote.bid if trailing.request.side is Side.SELL else quote.ask)
    now = stop_in_force(state, trailing)
    return f"from about {priced(start)}" + ("" if now is None else f", now {priced(now)}")


def goes_back_in_words(state: TradingState, order: Order) -> tuple[str, ...]:
    """Return the stops that are restored if this selling order is cancelled: `6 at 99.00`."""
    is_guard = order.is_working and (order.is_protective or order.is_target)
    return _shared_out(_owed_after(state, [order]), order.remaining) if is_guard else ()


def _owed_after(state: TradingState, orders: Iterable[Order]) -> list[tuple[Quantity, Terms]]:
    sales, names = SaleChains(state), {order.id for order in orders}
    uses = state.stage.authorizations(AuthorizationKind.RESTORE_STOP)
    owed = [use for use in uses if not names.isdisjoint(order.id for order in sales.line(use))]
    latest_first = list(dict.fromkeys(use.authorization.parent for use in reversed(owed)))
    owed.sort(key=lambda use: latest_first.index(use.authorization.parent))  # of one sale the nearest stop first
    return [
        (
            Quantity(sales.owed_if_cancelled(use)),
            use.authorization.terms or (OrderType.STOP, None, use.authorization.stop_price, None, None),
        )
        for use in owed
    ]


def _shared_out(stops: Iterable[tuple[Quantity, Terms]], left: Decimal) -> tuple[str, ...]:
    found: dict[str, Decimal] = {}
    for quantity, terms in stops:
        back = min(quantity, left)
        if back > 0 and (place := stop_in_words(terms)):
            found[place] = found.get(place, Decimal(0)) + back
            left -= back
    return tuple(f"{plain(quantity)} {place}" for place, quantity in found.items())


def lost_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    """Return targets and other orders that are not stops: they are not restored."""
    return cancelled_in_words(order for order in orders if not order.is_protective)


def lost_targets(in_the_way: Iterable[Order], order: OrderRequest, after: Quantity) -> tuple[str, ...]:
    """`186.84`: targets that a sale cancels and that shares which stay would have; the broker's own sale has none."""
    if order.legs or not (after or order.type.waits):
        return ()
    targets = (o.request.limit_price for o in in_the_way if o.is_target or (o.only_reduces and o.request.type.rests))
    return tuple(dict.fromkeys(priced(price) for price in targets if price is not None))


NOT_BUILT = object()
"""In the place of a row that is not kept."""
AT_ONCE = 200
"""Rows that a beat builds ahead; each takes about 15 µs."""


class FinishedOrders:
    """The row of a finished order depends only on itself once the order that it was to replace has ended."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._day: date | None = None
        self._rows: dict[ClientOrderId, OrderRow | None] = {}
        self._built: list[OrderRow] = []

    def rows(self, at: datetime) -> list[OrderRow]:
        """Return working orders and those created today, newest first."""
        orders, told = self._orders(at), self.state.told_at_a_kill
        found = list(map(self._rows.get, orders, repeat(NOT_BUILT)))
        missing = [index for index, row in enumerate(found) if row is NOT_BUILT]
        ids = list(orders) if missing else []
        self._built = []
        for index in missing:
            found[index] = row = self._row(orders[ids[index]], told)
            if row is not None:
                self._built.append(row)
        return [row for row in reversed(found) if row is not None]  # type: ignore[misc]

    def working(self) -> list[OrderRow]:
        """Return the working orders of the last rows, newest first."""
        return [row for row in reversed(self._built) if row.status.is_working]

    def draw_ahead(self, at: datetime) -> bool:
        """Build the rows of some finished orders that have none yet. Return whether all have one."""
        orders, rows, told = self._orders(at), self._rows, self.state.told_at_a_kill
        missing = [order for id_, order in orders.items() if id_ not in rows and not order.is_working]
        for order in missing[:AT_ONCE]:
            self._row(order, told)
        return len(missing) <= AT_ONCE

    def _orders(self, at: datetime) -> dict[ClientOrderId, Order]:
        today = self.state.calendar.trading_day(at)
        if today != self._day:
            self._day, self._rows = today, {}
        return self.state.ledger.state.orders

    def _row(self, order: Order, told: Mapping[Symbol, Quantity]) -> OrderRow | None:
        """Build the row of an order, None if it is of an earlier day and finished; keep that of a finished order."""
        state = self.state
        is_todays = order.is_working or state.calendar.trading_day(order.created_at) == self._day
        row = order_row(state, order, told) if is_todays else None
        if not order.is_working and state.ledger.chains.replaced(order) is None:
            self._rows[order.id] = row
        return row

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrdersRecalled):
            self._rows = {}
        order = self.state.ledger.order(ClientOrderId(subject_of(fact) or ""))
        if order is not None:
            for name in (order.id, order.request.replaces, order.replacement, order.replaced_by):
                self._rows.pop(name or order.id, None)


def order_row(state: TradingState, order: Order, told: Mapping[Symbol, Quantity]) -> OrderRow:
    request, ledger, is_working = order.request, state.ledger, order.is_working
    over = beyond(ledger, order, told)
    timeout = timedelta(seconds=float(state.control.settings.execution.warning_seconds))
    is_to_replace = ledger.chains.replaced(order) is not None
    marks = (
        *((RowMark.CANCELLING,) if order.is_cancelling else ()),
        *((RowMark.LEAVING,) if order.is_leaving else ()),
        *((RowMark.IN_DOUBT,) if order.in_doubt_since and is_working else ()),
        *((RowMark.WARNED,) if order.warning_waits else ()),
        *((RowMark.LATE_FILL,) if order.late_fill else ()),
        *((RowMark.RESTATED,) if order.terms_before is not None else ()),
        *((RowMark.BEING_REPLACED,) if order.is_being_replaced else ()),
        *((RowMark.TO_REPLACE,) if is_to_replace else ()),
        *((RowMark.HELD,) if is_working and ledger.legs.is_held(order) else ()),
        *((RowMark.REPLACED,) if order.replaced_by and not is_working and not order.made_way else ()),
        *((RowMark.HALTED,) if is_working and request.symbol in state.normaliser.state.halted else ()),
        *((RowMark.MORE_THAN_HELD,) if over > 0 else ()),
        *((RowMark.WAITS_TO_BE_SENT,) if state.sightings.departing.is_held_up(order, state.at) else ()),
    )
    outcome = _outcome(order)
    return OrderRow(
        id=order.id,
        strategy=order.strategy,
        side=request.side,
        effect=effect_now(ledger, order, told),
        quantity=request.quantity,
        symbol=request.symbol,
        type=request.type,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_fraction=request.trail_fraction,
        legs=request.legs,
        is_paired=order.is_target,
        parent=order.parent,
        status=order.status,
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
        created_at=order.created_at,
        ended_at=order.ended_at,
        expires_at=order.expires_at,
        ends_at=day_ends_at(state, request, order.created_at) if is_working else None,
        is_protective=order.is_protective,
        marks=marks,
        reason="" if outcome else order.reason,
        outcome=outcome,
        warnings=order.warnings,
        goes_back_in_words=goes_back_in_words(state, order),
        restated=order.terms_before.in_words(StatedTerms.of_order(request)) if order.terms_before else "",
        taken_back_at=order.taken_back_at(timeout),
        stop_by_desk=stop_by_desk(state, order),
        beyond=max(over, NO_SHARES),
        is_entry=not order.only_reduces,
        time_in_force=request.time_in_force,
        agent=agent_of(state, order.id),
    )


def agent_of(state: TradingState, order: ClientOrderId) -> str:
    outcome = state.drafts.of_proposal(order)
    return "" if outcome is None else outcome.draft.agent


def day_ends_at(state: TradingState, order: AnyOrder, sent_at: datetime) -> datetime | None:
    """Return the close with which a day order sent then ends at the broker; None for others, or if unknown."""
    if order.time_in_force is not TimeInForce.DAY or order.extended_hours:
        return None
    with suppress(CalendarRangeError):
        return end_of_session(state.calendar, order, sent_at)
    return None


def _outcome(order: Order) -> str:
    """Return `REPLACED by d2733f`, `CANCELLED by you`; empty if status and reason suffice."""
    if order.made_way:
        replacement = order.replaced_by or order.replacement
        return f"REPLACED by {replacement}" if replacement else "REPLACED"
    is_yours = order.cancel_code is CancelCode.OPERATOR and order.end_code is EndCode.AS_ITS_STATE_SAYS
    return "CANCELLED by you" if order.status is OrderStatus.CANCELLED and is_yours else ""


def position_row(state: TradingState, position: Position, at: datetime) -> PositionRow:
    last_at, last = newest_price(state, position)
    plan = entry.stop if (entry := state.ledger.order(position.entry_order)) else None
    exits = state.ledger.exits.working(position.symbol, position.strategy)
    guards = guards_of(state, position, at)
    stops, cover = guards.stops, guards.cover
    profit = state.ledger.open_profit(position, last)
    way = state.exits.way_to_stop(position)
    risked = None if way is None else position.risk(way)
    known = {price: known_as(state, o) for o in stops if (price := stop_in_force(state, o)) is not None}
    signed = state.stage.signed_exits(position.entry_order, at)
    owing = _owed_for_seconds(state, position, at)
    held, late = held_exit_of(state, position), late_exit_of(state, position)
    lasts, ends_at = _stops_last(state, stops)
    mark = state.exits.mark(position)
    is_known = plan is not None and mark.stop is not None and not mark.is_unvalued
    planned = [mark.stop] if is_known and mark.stop is not None else []
    farthest_last = sorted(known, reverse=position.quantity > 0) or planned
    return PositionRow(
        key=f"{position.symbol}/{position.strategy}",
        symbol=position.symbol,
        strategy=position.strategy,
        quantity=position.quantity,
        average_price=position.average_price,
        last=last,
        last_at=last_at,
        profit=profit,
        result_in_risk=profit / risked if profit is not None and risked else None,
        stop_price=farthest_last[-1] if farthest_last else None,
        nearer_stops=tuple(farthest_last[:-1]),
        stop_known=known[farthest_last[-1]] if known else StopKnown.EXACT,
        holder=_holder(stops, plan),
        covered=cover.covered,
        in_doubt=cover.in_doubt,
        doubt=cover.doubt,
        is_closing=any(not o.stands_by or o.is_cancelling for o in exits),
        has_bracket=state.ledger.exits.has_bracket_order(position.symbol, position.strategy),
        held_by_others=held_by_others(state.sightings.others, position.symbol, closing_side(position)),
        acts_from=guards.acts_from,
        at_limit=cover.at_limit,
        idle=cover.idle_words,
        is_unread=position.symbol in state.sightings.unread_positions,
        unattended_until=signed.authorization.ends_at if signed else None,
        unattended_most=signed.authorization.quantity if signed else NO_SHARES,
        halted=halted_in_words(state, position.symbol),
        traded=position.traded,
        break_even=position.break_even,
        average_range=state.sizing.average_range(position.symbol),
        owed=owing.quantity if owing else NO_SHARES,
        owed_since=owing.since if owing else None,
        owed_why=state.why_owed(owing) if owing else None,
        is_owed_told=owing is None or owing.told is not None,
        exit_waits_since=held.since if held else None,
        exit_late_since=late.since if late else None,
        targets=_targets(state, exits),
        stop_lasts=lasts,
        stop_ends_at=ends_at,
        holds_overnight=state.control.settings.holds_overnight(position.strategy),
        move_refusal=refusal_of_move(state, position),
        trail_refusal=refusal_of_trail(state, position),
        target_refusal=refusal_of_target(state, position),
        health=health_of(state, position, at, guards),
    )


def _owed_for_seconds(state: TradingState, position: Position, at: datetime) -> Owing | None:
    """Return its owed stop; None within the delay in which it is on its way, or in which an entry usually fills."""
    owing = state.owed_stops.of(position)
    if owing is None or owing.told is not None:
        return owing
    is_waiting = owing.why is OwedReason.LEGS_WAIT and at >= (owing.needed_since or owing.since) + TOLD_AFTER
    return owing if is_waiting else None


def _stops_last(state: TradingState, stops: Sequence[Order]) -> tuple[TimeInForce | None, datetime | None]:
    """Return the shortest time in force of the stops, and when that of a day ends."""
    of_a_day = [o for o in stops if o.request.time_in_force is TimeInForce.DAY]
    ends = [end for o in of_a_day if (end := day_ends_at(state, o.request, o.created_at)) is not None]
    return (of_a_day or stops)[0].request.time_in_force if stops else None, min(ends, default=None)


def newest_price(state: TradingState, position: Position) -> tuple[datetime, Price]:
    """Return the price that every pane shows for its symbol."""
    return shown_price(state, position.symbol) or (position.opened_at, position.average_price)


def _targets(state: TradingState, exits: Iterable[Order]) -> tuple[Price, ...]:
    """Of what works now; of an entry that is not filled whole they are to come."""
    targets = (o.request.limit_price for o in exits if o.is_target and not state.ledger.legs.is_held(o))
    return tuple(dict.fromkeys(price for price in targets if price is not None))


def _holder(stops: list[Order], plan: StopPlan | None) -> StopHolder:
    """Return the stop's current holder: the broker only if a stop of ours works there (OP-06)."""
    if stops:
        return StopHolder.BROKER
    return StopHolder.DESK if plan is not None and plan.holder is StopHolder.DESK else StopHolder.YOU
