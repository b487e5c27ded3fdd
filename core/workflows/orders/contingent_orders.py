"""Legs: orders that the broker creates with one of ours, and names itself (EX-12, EX-13).

The ticket listed them, so the signed digest covers them, and no other order is accepted as one. Each becomes an order
in the ledger, with its parent and role, as soon as the broker reports its id, and is handled like any order from there.
The stream names no legs, and an answer or the broker's books may omit them: while they are unknown their parent is
looked up, and only a look-up of the order itself is believed if it reports none.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.execution import order_states
from core.execution.order import Order
from core.facts import ContingentOrdersMissing, OrderCreated, Source, UpdateIgnored
from core.model.broker import OrderReport
from core.model.order import AnyOrder, Leg, LegRole, OrderClass, OrderRequest, OrderStatus, Side, traded_in
from core.model.order import Effect as OrderEffect
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
        if source is Source.LOOK_UP and not report.hides_legs:
            self._told_whole.add(order.id)
        if source is Source.LOOK_UP and not own and self.state.ledger.legs.are_expected(order):
            self._none_are_named(order, report)

    def wants_more(self, order: Order) -> bool:
        """Whether the broker can still name legs that are unknown here: all of them, or the rest of a pair."""
        legs = self.state.ledger.legs
        return legs.are_expected(order) or (legs.lack_some(order) and order.id not in self._told_whole)

    def _was_made_before(self, order: Order, told: OrderReport) -> bool:
        known = self.state.ledger.order(told.client_order_id)
        return known is not None and known.parent != order.id

    def _none_are_named(self, order: Order, report: OrderReport) -> None:
        """Record that no legs are named.

        Hidden legs are not missing ones: a second stop would sell twice (OP-06, EX-13).
        """
        if not report.hides_legs:
            self.state.record(ContingentOrdersMissing(order.id))
        elif order.id not in self._hidden:
            self._hidden[order.id] = self.state.at
            self.state.record(UpdateIgnored(order.id, HIDDEN))

    def awaits(self, order: Order) -> bool:
        """Whether unknown legs may have closed the entry's position; hidden legs only until a time-out."""
        hidden_at = self._hidden.get(order.id)
        patience = timedelta(seconds=float(self.state.control.settings.execution.not_found_seconds))
        is_given_up = hidden_at is not None and self.state.at - hidden_at > patience
        return self.wants_more(order) and not is_given_up

    def _adopt(self, parent: Order, told: OrderReport, source: Source) -> None:
        listed = next((leg for leg in parent.request.legs if _is_this(leg, parent.request, told)), None)
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
            arrived = order_states.change(leg, OrderStatus.SUBMITTED, source, told.broker_order_id, "")
            self.state.record(arrived)


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
        quantity=told.quantity,
        type=listed.type,
        time_in_force=told.time_in_force or parent.time_in_force,
        limit_price=told.limit_price,
        stop_price=told.stop_price,
    )
