"""Request a new stop after one expired, never arrived or was refused: shares are held without it (EX-13).

The broker's stops of fractions, and those that it creates with an entry, are day orders. As soon as one is reported as
expired, a stop for the same shares at the same price waits for its key: good till cancelled for whole shares, else for
the next session. A closed market keeps it until it opens.

A refused stop waits for a key, and again if the broker refuses that ticket's stop too: each attempt is a person's, and
unprotected shares always have a ticket waiting.
"""

from __future__ import annotations

from functools import partial

from core.execution.order import Order
from core.facts import OrderStateChanged
from core.model.codes import BY_A_PERSON, CUT, EndCode, GuardCode
from core.model.order import OrderRequest, OrderStatus, Side, TimeInForce
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import AuthorizationKind
from core.model.values import ZERO, Price, ProposalId
from core.trading_state.state import TradingState
from core.workflows.base.declarations import follows
from core.workflows.base.isolation import done_apart
from core.workflows.day.overnight_positions import is_held_over
from core.workflows.staging.closing_terms import closing_side
from core.workflows.staging.order_changes import OrderChanges, RequestedChange
from core.workflows.staging.proposals import Proposals

WITH_ITS_DAY = RequestedChange("its stop ended with the day", GuardCode.WITH_ITS_DAY)
PERMITTED_NO_MORE = RequestedChange(
    "its stop is owed, and what was signed for it has ended", GuardCode.PERMITTED_NO_MORE
)
NOT_THERE = RequestedChange("its stop never reached the broker", GuardCode.NOT_THERE)
REFUSED = RequestedChange("the broker refused its stop", GuardCode.REFUSED)
KEPT_BACK = RequestedChange("its stop was kept back before it was sent", GuardCode.KEPT_BACK)
OF_THIS_DESK = frozenset(asked.code for asked in (WITH_ITS_DAY, PERMITTED_NO_MORE, NOT_THERE, REFUSED, KEPT_BACK))
ENDED_BY_THE_BROKER = frozenset({EndCode.REJECTED_LATER, EndCode.FILLED_SHORT})
"""End codes by which the broker may end a stop before all of it was sold."""
FOR_DAYS = frozenset({GuardCode.WITH_ITS_DAY, GuardCode.PERMITTED_NO_MORE})
"""Reasons for which a stop of whole shares is good till cancelled."""


class StopRenewal:
    def __init__(self, state: TradingState, order_changes: OrderChanges, proposals: Proposals) -> None:
        self.state = state
        self.order_changes = order_changes
        self.proposals = proposals

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> None:
        order = self.state.ledger.order(fact.client_order_id)
        if order is not None and fact.after.is_terminal:
            self._ask_in_place_of(order)

    def ask_again(self, order: Order, why: RequestedChange) -> None:
        """Let an unsent order wait for another key: a stop for the unprotected shares, anything else as it was."""
        if order.request.replaces is not None:
            self.order_changes.stage_move_again(order, why)
        elif order.is_protective and _has_a_price(order):
            self.ask(order, why)
        else:
            self.proposals.stage_again(order, why.words)

    def _ask_in_place_of(self, order: Order) -> None:
        """Request a stop in place of an ended one, unless its entry owes it."""
        why = _why_asked_for(order)
        if why is not None and not self._is_owed_by_its_entry(order):
            self.ask(order, why)

    def _is_owed_by_its_entry(self, leg: Order) -> bool:
        """Whether the entry owes the stop: a partly filled entry's shares get their own, not the leg."""
        is_held = self.state.ledger.legs.is_held(leg)
        return is_held and bool(self.state.stage.mandates(AuthorizationKind.PROTECTIVE_STOP, leg.parent))

    def resume(self) -> None:
        """Request stops at each comparison that a crash kept from being requested; each only once."""
        for position in self.state.ledger.positions():
            if position.symbol in self.state.sightings.differing or self.order_changes.unguarded(position) <= 0:
                continue
            last = self.state.ledger.exits.last_stop(position)
            if last is not None and not last.is_asked_for:
                done_apart(self.state, partial(self._ask_in_place_of, last))

    def ask_for_cut(self, stop: Order) -> bool:
        """Request once a reduced stop whose shares are back but whose day ended or that was refused.

        Whether it waits.
        """
        day_of = self.state.calendar.trading_day
        is_today = day_of(self.state.at) == day_of(stop.created_at)
        is_good_yet = is_today or stop.request.time_in_force is TimeInForce.GTC
        why = REFUSED if is_good_yet else WITH_ITS_DAY
        return stop.is_asked_for or self.ask_for(stop.request, stop.strategy, why)

    def ask_for_blocked(self, stop: Order) -> bool:
        """Request a stop that the gateway blocked and nothing sends again, unless it had its own key."""
        return not _is_of_a_key(stop) and self.ask_for(stop.request, stop.strategy, KEPT_BACK)

    def ask(self, order: Order, why: RequestedChange) -> None:
        """Request a stop like this one for the unprotected shares of its position."""
        self.ask_for(order.request, order.strategy, why)

    def ask_for(self, order: OrderRequest, strategy: str, why: RequestedChange = PERMITTED_NO_MORE) -> bool:
        """Request a stop that never was an order; return whether one waits now for the unprotected shares."""
        position = self.state.ledger.position(order.symbol, strategy)
        is_of_it = position is not None and closing_side(position) is order.side
        if position is None or not is_of_it:
            return False
        unprotected = self.order_changes.unguarded(position)
        price = self._price(position, order, why)
        if price is None or unprotected <= 0 or is_held_over(self.state, position):
            return False
        is_long = order.time_in_force is TimeInForce.GTC or why.code in FOR_DAYS
        is_for_days = is_long and unprotected == unprotected.to_integral_value()
        lasts = TimeInForce.GTC if is_for_days else TimeInForce.DAY
        return self.order_changes.stage_guard(position, unprotected, price, why, lasts)

    def _price(self, position: Position, order: OrderRequest, why: RequestedChange) -> Price | None:
        """Return the price nearest to the market of several that expired: one stop covers all unprotected shares."""
        waiting = (p for p in self.state.stage.proposals() if p.is_guard and p.order.replaces is None)
        of_it = (p for p in waiting if (p.symbol, p.strategy) == (position.symbol, position.strategy))
        prices = [p.order.stop_price for p in of_it if p.guard in OF_THIS_DESK | {why.code}]
        prices.append(self._level(position, order))
        known = [price for price in prices if price is not None]
        if not known:
            return None
        return max(known) if order.side is Side.SELL else min(known)

    def _level(self, position: Position, order: OrderRequest) -> Price | None:
        """Return its price; for a trailing stop, its distance from the last price, None while none is known."""
        last = self.state.orchestrator.state.marks.get(order.symbol)
        if not order.type.trails or last is None:
            return order.stop_price
        behind = order.trail_price or last * (order.trail_fraction or ZERO)
        level = Price(last - behind if order.side is Side.SELL else last + behind)
        return position.instrument.ticks.nearest(level)


def _why_asked_for(order: Order) -> RequestedChange | None:
    if not order.is_protective:
        return None
    if order.status is OrderStatus.EXPIRED:
        return WITH_ITS_DAY
    if order.status is OrderStatus.REJECTED or order.end_code in ENDED_BY_THE_BROKER:
        return None if _was_taken_back(order) else REFUSED
    is_gone = order.end_code in (EndCode.NEVER_ARRIVED, EndCode.LOST_THERE)
    return NOT_THERE if is_gone and order.cancel_code not in BY_A_PERSON else None


def _has_a_price(stop: Order) -> bool:
    """Whether it is a stop with its own price: a trailing one has none."""
    return stop.exit_reason is ExitReason.STOP_LOSS and not stop.request.type.trails


def _is_of_a_key(stop: Order) -> bool:
    """Whether it was confirmed by its own key: that operator sees the result."""
    return stop.proposal_id == ProposalId(stop.id)


def _was_taken_back(stop: Order) -> bool:
    """Whether a person cancelled it before the broker's report came."""
    return stop.cancel_requested_at is not None and stop.cancel_code not in CUT
