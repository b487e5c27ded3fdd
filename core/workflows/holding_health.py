"""Compute the age and health of a holding from what is known of it now (OT-06).

Nothing is kept and nothing is asked for: the figures are of the books, the last price and quote, the exit rules and the
average volume. A figure that cannot be computed is None, and never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.execution.order import Order
from core.execution.stop_coverage import Cover, cover_of
from core.exit_rules import ExitPosition, days_to_time_rule, stop_of, target_of
from core.model.account import AWAY, Channel
from core.model.bar import STALE_AFTER
from core.model.codes import NEEDS_NOBODY, OwedReason
from core.model.holding import RANK, Concern, Health
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus
from core.model.position import Position
from core.model.session import Session
from core.model.values import Fraction, Price
from core.risk.gate import is_old
from core.risk.price_history import DAYS
from core.settings.strategies import ExitSettings
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import seen_price, stop_in_force
from core.workflows.orders.request_reserve import late_exit_of
from core.workflows.protection.owed_stops import is_held_over
from core.workflows.strategy_signals import ExitRules

PART_OF_VOLUME = Decimal("0.1")
"""Of the average volume of a session, that a holding can leave by without moving its price much (OT-06)."""
NEAR_IN_R = Decimal("0.25")
"""A smaller way to the stop is near, as a multiple of the loss at the stop of its entry."""
NEAR = Decimal("0.005")
"""The same as a part of the price, where that loss is unknown."""


@dataclass(frozen=True, slots=True)
class Guards:
    """What guards a position now: its stops that the broker trades, what they cover, and from when they act."""

    stops: list[Order]
    cover: Cover
    acts_from: datetime | None


def guards_of(state: TradingState, position: Position, at: datetime) -> Guards:
    cover = cover_of(state.ledger, position, lambda order: state.sightings.departing.is_held_up(order, state.at))
    return Guards(working_stops(state, position), cover, stops_act_from(state, at))


def health_of(state: TradingState, position: Position, at: datetime, guards: Guards) -> Health:
    """Return the figures of a holding and its concerns."""
    rules = ExitRules(state)
    terms, standing = rules.terms(position), rules.standing(position, at)
    session, seen = state.calendar.session_at(at), seen_price(state, position.symbol)
    last = None if seen is None else seen[1]
    at_risk, stop = state.exits.way_to_stop(position), standing_stop(state, position, guards.stops)
    to_stop, target = _way(position, stop, last), _target(state, position, terms, standing)
    to_target, left = _way(position, last, target), None
    if terms is not None:
        left = days_to_time_rule(terms, standing, position.average_price if last is None else last)
    quote = state.sightings.quotes.get(position.symbol)
    is_quoted = quote is not None and 0 < quote.bid <= quote.ask and not is_old(quote, at, state.control.settings.risk)
    concerns = set(_of_shares(state, position, guards, terms, standing))
    if seen is None or (isinstance(session, Session) and at - seen[0] > STALE_AFTER):
        concerns.add(Concern.NO_PRICE)
    if standing.is_late or is_held_over(state, position):
        concerns.add(Concern.PAST_TIME)
    found = Health(
        days_held=standing.days if position.entry_order else None,
        days_here=standing.days,
        way_to_stop=_part(to_stop, last),
        way_to_stop_in_r=_part(to_stop, at_risk),
        target=target,
        way_to_target=_part(to_target, last),
        way_to_target_in_r=_part(to_target, at_risk),
        days_to_time_rule=left,
        flat_from=rules.flat_from(position, session) if isinstance(session, Session) else None,
        days_to_leave=_days_to_leave(state, position),
        spread=quote.spread if quote is not None and is_quoted else None,
        choice=rules.choice(position, standing),
    )
    concerns.update(_of_figures(state, found))
    return replace(found, concerns=tuple(sorted(concerns, key=RANK.__getitem__))) if concerns else found


def working_stops(state: TradingState, position: Position) -> list[Order]:
    """Return the stops of a position that the broker trades."""
    ledger, chains = state.ledger, state.ledger.chains
    guards = (o for o in ledger.exits.working(position.symbol, position.strategy) if o.is_protective)
    working = (o for o in guards if not ledger.legs.is_held(o) and o.idle is None)
    return [o for o in working if chains.replaced(o) is None and not chains.is_in_doubt(o)]


def standing_stop(state: TradingState, position: Position, stops: Sequence[Order]) -> Price | None:
    """Return the price at which the last of its stops acts at the broker, or this desk's own; None if only YOU act."""
    if not stops:
        return state.exits.desk_stop(position)
    prices = (price for order in stops if (price := stop_in_force(state, order)) is not None)
    return (min if position.quantity > 0 else max)(prices, default=None)


def stops_act_from(state: TradingState, at: datetime) -> datetime | None:
    """Return the next open while the extended session trades and stops rest; else None."""
    calendar = state.calendar
    if calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is None:
        return None
    return calendar.next_session(at).open


def _target(
    state: TradingState, position: Position, terms: ExitSettings | None, standing: ExitPosition
) -> Price | None:
    """Return the nearest target at the broker, else the one that this desk watches."""
    exits = state.ledger.exits.working(position.symbol, position.strategy)
    prices = [o.request.limit_price for o in exits if o.is_target and not state.ledger.legs.is_held(o)]
    at_broker = [price for price in prices if price is not None]
    if at_broker:
        return min(at_broker) if position.quantity > 0 else max(at_broker)
    return None if terms is None or standing.is_unvalued else target_of(terms, standing)


def _way(position: Position, lower: Price | None, upper: Price | None) -> Decimal | None:
    """Return the way up from one price to the other, for a short down."""
    if lower is None or upper is None:
        return None
    return upper - lower if position.quantity > 0 else lower - upper


def _part(way: Decimal | None, whole: Decimal | None) -> Fraction | None:
    return None if way is None or not whole else Fraction(way / whole)


def _days_to_leave(state: TradingState, position: Position) -> Decimal | None:
    average = state.volumes.average(position.symbol)
    if average is None or average.days < DAYS or not average.shares:
        return None
    return abs(position.quantity) / average.part(PART_OF_VOLUME)


def _of_shares(
    state: TradingState,
    position: Position,
    guards: Guards,
    terms: ExitSettings | None,
    standing: ExitPosition,
) -> Iterator[Concern]:
    """Yield what is of concern in its orders: who guards how many of its shares."""
    symbol, cover, owing = position.symbol, guards.cover, state.owed_stops.of(position)
    exits = state.ledger.exits.working(symbol, position.strategy)
    why = None if owing is None else state.why_owed(owing)
    needs_a_person = owing is not None and why not in NEEDS_NOBODY
    if symbol in state.sightings.unread_positions:
        yield Concern.UNREAD
    if late_exit_of(state, position) is not None:
        yield Concern.EXIT_LATE
    if symbol in state.normaliser.state.halted:
        yield Concern.HALTED
    if cover.in_doubt:
        yield Concern.IN_DOUBT
    if _is_away(state):
        yield Concern.AS_LAST_SEEN
    if cover.at_limit:
        yield Concern.AT_LIMIT
    if cover.idle or (guards.acts_from is not None and any(o.stands_by for o in exits)):
        yield Concern.STOP_RESTS
    bare = abs(position.quantity) - cover.covered - cover.in_doubt - cover.at_limit - cover.idle
    if owing is not None and owing.told is not None and needs_a_person:
        yield Concern.OWED
    elif bare <= 0:
        if any(_is_under_way(state, order) for order in exits):
            yield Concern.UNDER_WAY
    elif why is OwedReason.HELD_ELSEWHERE or state.stopped_elsewhere(symbol) >= bare:
        yield Concern.ELSEWHERE
    elif needs_a_person or any(not o.stands_by or o.is_cancelling for o in exits):
        yield Concern.UNDER_WAY
    elif terms is not None and not standing.is_unvalued and stop_of(terms, standing) is not None:
        yield Concern.NEEDS_KEY
    else:
        yield Concern.NO_STOP


def _is_away(state: TradingState) -> bool:
    """Whether the broker's orders cannot be read now, or changes of them do not arrive."""
    lines = (state.sightings.connections.get(channel) for channel in (Channel.BROKER, Channel.TRADES))
    return any(line is not None and line.state in AWAY for line in lines)


def _is_under_way(state: TradingState, order: Order) -> bool:
    """Whether shares are covered by an order that the broker has not answered, that is to end, or that sells them."""
    is_moving = order.status is OrderStatus.PENDING or order.is_cancelling or not order.stands_by
    return is_moving and not state.ledger.chains.is_in_doubt(order) and state.ledger.exits.claim(order) > 0


def _of_figures(state: TradingState, found: Health) -> Iterator[Concern]:
    """Yield what is of concern in its figures."""
    way, in_r, left = found.way_to_stop, found.way_to_stop_in_r, found.days_to_time_rule
    if way is not None and way <= 0:
        yield Concern.AT_STOP
    elif way is not None and (way < NEAR if in_r is None else in_r < NEAR_IN_R):
        yield Concern.NEAR_STOP
    if left is not None and left <= 0:
        yield Concern.PAST_TIME
    elif left == 1:
        yield Concern.NEAR_TIME
    if found.spread is not None and found.spread > state.control.settings.risk.spread_limit:
        yield Concern.WIDE_SPREAD
    if found.days_to_leave is not None and found.days_to_leave > 1:
        yield Concern.SLOW_TO_LEAVE
