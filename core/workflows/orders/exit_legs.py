"""Exits at the broker: legs that it creates, and those that it does not trade (EX-12, EX-13, EX-22).

The ticket listed them, so the signed digest covers them, and no other order is accepted as one. Each becomes an order
in the ledger, with its parent and role, as soon as the broker reports its id, and is handled like any order from there.
The stream names no legs, and an answer or the broker's books may omit them: while they are unknown their parent is
looked up, and only a look-up of the order itself is believed if it reports none.

An exit is marked by the broker's status. Nothing is sent or cancelled here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.execution import order_status
from core.execution.order import Order
from core.facts import ContingentOrdersMissing, OrderCreated, OrderIdled, OrderTradesAgain, Source, UpdateIgnored
from core.model.broker import OrderReport
from core.model.codes import IdleCode
from core.model.order import AnyOrder, Leg, LegRole, OrderClass, OrderRequest, OrderStatus, Side, traded_in
from core.model.order import Effect as OrderEffect
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState

EXIT_REASONS = {LegRole.STOP: ExitReason.STOP_LOSS, LegRole.TARGET: ExitReason.TAKE_PROFIT}
"""Exit reasons of legs: a leg's fill is reported like any exit's (EX-13)."""
HIDDEN = (
    "the broker says that it holds legs with it and does not name them: no second stop is sent, and it is asked again; "
    "look at the broker's page"
)


class ContingentOrders:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._hidden: dict[ClientOrderId, datetime] = {}
        self._told_whole: set[ClientOrderId] = set()

    def meet(self, order: Order, report: OrderReport, source: Source) -> None:
        """Register the legs that the report names, or record that they are missing, before the order's fills count.

        Legs that the broker created with an earlier order belong to that one and do not protect this one.
        """
        own = [told for told in report.legs if not self._was_made_before(order, told)]
        for told in own:
            if not self.state.ledger.has(told.client_order_id):
                self._adopt(order, told, source)
        if source is Source.LOOK_UP and not report.hides_legs and order.request.legs:
            self._told_whole.add(order.id)
        if source is Source.LOOK_UP and not own and self.state.ledger.legs.are_expected(order):
            # Record that no legs are named. Hidden legs are not missing ones: a second stop would sell twice (OP-06,
            # EX-13).
            if not report.hides_legs:
                self.state.record(ContingentOrdersMissing(order.id))
            elif order.id not in self._hidden:
                self._hidden[order.id] = self.state.at
                self.state.record(UpdateIgnored(order.id, HIDDEN))

    def forget_past_orders(self) -> None:
        """Drop what is known of orders that the ledger has forgotten."""
        orders = self.state.ledger.state.orders
        self._told_whole &= orders.keys()
        self._hidden = {name: at for name, at in self._hidden.items() if name in orders}

    def wants_more(self, order: Order) -> bool:
        """Whether the broker can still name legs that are unknown here: all of them, or the rest of a pair."""
        legs = self.state.ledger.legs
        return legs.are_expected(order) or (legs.lack_some(order) and order.id not in self._told_whole)

    def _was_made_before(self, order: Order, told: OrderReport) -> bool:
        known = self.state.ledger.order(told.client_order_id)
        return known is not None and known.parent != order.id

    def awaits(self, order: Order) -> bool:
        """Whether unknown legs may have closed the entry's position; hidden legs only until a time-out."""
        hidden_at = self._hidden.get(order.id)
        timeout = timedelta(seconds=float(self.state.control.settings.execution.not_found_seconds))
        is_given_up = hidden_at is not None and self.state.at - hidden_at > timeout
        return self.wants_more(order) and not is_given_up

    def _adopt(self, parent: Order, told: OrderReport, source: Source) -> None:
        listed = self._listed(parent, told)
        if listed is None:
            self.state.record(UpdateIgnored(told.client_order_id, f"a leg of {parent.id} that the ticket did not list"))
            return
        self.state.record(
            OrderCreated(
                order=traded_in(parent.request.instrument, _request(told, listed, parent.request)),
                proposal_id=parent.proposal_id,
                strategy=parent.strategy,
                signal_time=parent.signal_time,
                stop=None,
                parent=parent.id,
                exit_reason=EXIT_REASONS[listed.role],
                intended_price=listed.stop_price if listed.role is LegRole.STOP else listed.limit_price,
                reference=parent.reference,
                expires_at=None,
                role=listed.role,
            )
        )
        leg = self.state.ledger.order(told.client_order_id)
        if leg is not None and told.status is not OrderStatus.REJECTED:
            arrived = order_status.change(leg, OrderStatus.SUBMITTED, source, told.broker_order_id, "")
            self.state.record(arrived)

    def _listed(self, parent: Order, told: OrderReport) -> Leg | None:
        """Return the leg of the ticket that this is; None if it is none.

        The broker may have changed its terms before they were heard: then it is the one of its type that is not known
        yet, and its next report says what changed (EX-13).
        """
        request = parent.request
        known = {leg.role for leg in self.state.ledger.legs.of(parent.id)}
        is_of_it = (told.symbol, told.side) == (request.symbol, _side(request))
        changed = (leg for leg in request.legs if is_of_it and leg.type is told.type and leg.role not in known)
        return next((leg for leg in request.legs if _is_this(leg, request, told)), None) or next(changed, None)


def _is_this(leg: Leg, parent: OrderRequest, told: OrderReport) -> bool:
    """Whether the broker's order is the requested leg; its sibling's fills may have reduced its quantity."""
    ours = (parent.symbol, leg.stop_price, leg.limit_price)
    theirs = (told.symbol, told.stop_price, told.limit_price)
    is_known = told.side in (_side(parent), None) and told.type in (leg.type, None)
    return ours == theirs and is_known and told.quantity <= parent.quantity


def _side(parent: AnyOrder) -> Side:
    return parent.side if parent.order_class is OrderClass.OCO else parent.side.opposite


def _request(told: OrderReport, listed: Leg, parent: AnyOrder) -> OrderRequest:
    return OrderRequest(
        client_order_id=told.client_order_id,
        symbol=told.symbol,
        side=(side := _side(parent)),
        effect=OrderEffect.CLOSE if side is Side.SELL else OrderEffect.COVER,
        quantity=min(told.quantity, parent.quantity),
        type=listed.type,
        time_in_force=told.time_in_force or parent.time_in_force,
        limit_price=listed.limit_price,
        stop_price=listed.stop_price,
    )


OVER_FOR_THE_DAY = frozenset({"done_for_day", "calculated"})
"""Statuses of a stop after each close: the usual end of its day, counted only from the next open."""


def follow_word(state: TradingState, order: Order, report: OrderReport, source: Source) -> bool:
    """Mark or unmark a working exit by the broker's status; a doubt whether the broker has it is over.

    Return whether it must be looked up: a message or a late answer that says it trades again may be older than the word
    that it does not.
    """
    if not order.only_reduces or not order.is_working or order.broker_order_id != report.broker_order_id:
        return False
    word, code = report.raw_status, order_status.idle_code(report.raw_status)
    is_back = order.in_doubt_since is not None
    if word in OVER_FOR_THE_DAY and order.idle is None and not is_back and not _is_open(state):
        state.sightings.done_for_day.add(order.id)
        return False
    state.sightings.done_for_day.discard(order.id)
    if code is not None and (is_back or (code, word) != (order.idle, order.idle_word)):
        state.record(OrderIdled(order.id, code, word))
    elif code is None and (is_back or order.idle not in (None, IdleCode.UNFILLED)):
        if source in (Source.STREAM, Source.ANSWER):
            return True
        state.record(OrderTradesAgain(order.id, word))
    return False


def _is_open(state: TradingState) -> bool:
    return isinstance(state.calendar.session_at(state.at), Session)
