"""Build position rows: current value, and the holder of the stop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.execution.cover import cover_of
from core.execution.order import Order
from core.execution.other_orders import held_by_others
from core.model.order import Side, StopHolder, StopKnown
from core.model.position import Position
from core.model.staging import StopPlan
from core.model.values import NO_SHARES, Price
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import known_as, shown_price, stop_in_force
from core.views import PositionRow
from core.views.builders.symbols import halted_in_words
from core.workflows.orders.request_room import held_exit_of


def position_row(state: TradingState, position: Position, at: datetime) -> PositionRow:
    last_at, last = newest_price(state, position)
    entry = state.ledger.order(position.entry_order)
    plan = entry.stop if entry else None
    exits = state.ledger.exits.working(position.symbol, position.strategy)
    guards = [o for o in exits if o.is_protective and not state.ledger.legs.is_held(o)]
    chains = state.ledger.chains
    stops = [o for o in guards if o.idle is None and chains.replaced(o) is None and not chains.is_in_doubt(o)]
    cover = cover_of(state.ledger, position, lambda order: state.sightings.departing.is_held_up(order, state.at))
    profit = state.ledger.open_profit(position, last)
    risked = position.risk(plan.way_from(position.average_price)) if plan else None
    known = {price: known_as(state, o) for o in stops if (price := stop_in_force(state, o)) is not None}
    prices = known.keys()
    signed = state.stage.signed_exits(position.entry_order, at)
    planned = [plan.price] if plan is not None and plan.behind is None else []
    owing = state.owed_stops.of(position)
    if owing is not None and owing.told is None:
        owing = None  # still within the delay: its stop is on its way
    held = held_exit_of(state, position)
    farthest_last = sorted(prices, reverse=position.quantity > 0) or planned
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
        held_by_others=held_by_others(
            state.sightings.others, position.symbol, Side.SELL if position.quantity > 0 else Side.BUY
        ),
        acts_from=_stops_act_from(state, at),
        at_limit=cover.at_limit,
        idle=cover.idle_words,
        is_unread=position.symbol in state.sightings.unread_positions,
        unattended_until=signed.mandate.ends_at if signed else None,
        unattended_most=signed.mandate.quantity if signed else NO_SHARES,
        halted=halted_in_words(state, position.symbol),
        traded=position.traded,
        break_even=position.break_even,
        average_range=state.sizing.average_range(position.symbol),
        owed=owing.quantity if owing else NO_SHARES,
        owed_since=owing.since if owing else None,
        owed_why=owing.why if owing else None,
        exit_waits_since=held.since if held else None,
        targets=_targets(state, exits),
    )


def _stops_act_from(state: TradingState, at: datetime) -> datetime | None:
    """Return the next open while the extended session trades and stops rest; else None."""
    calendar = state.calendar
    if calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is None:
        return None
    return calendar.next_session(at).open


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
