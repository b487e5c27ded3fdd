"""Propose an exit again that expired before it sold everything: its shares are unprotected (EX-13, EX-22).

The person who requested it may be absent, as after a night without a desk: it is reported like an exit of a rule.
Nothing is sent here.
"""

from __future__ import annotations

from functools import partial

from core.execution.order import Order
from core.facts import OrderStateChanged
from core.model.codes import GuardCode
from core.model.order import OrderStatus, order_id_of
from core.model.position import Position
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState
from core.workflows.base.declarations import follows
from core.workflows.base.isolation import done_apart
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.proposals import Proposals

WITH_ITS_DAY = "its exit ended with the day"


class ExpiredExits:
    """`_asked` holds the exits that were proposed again, once per run."""

    def __init__(self, state: TradingState, order_changes: OrderChanges, proposals: Proposals) -> None:
        self.state = state
        self.order_changes = order_changes
        self.proposals = proposals
        self._asked: set[ClientOrderId] = set()

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> None:
        order = self.state.ledger.order(fact.client_order_id)
        if order is not None and fact.after is OrderStatus.EXPIRED:
            self._ask_again(order)

    def resume(self) -> None:
        """Propose exits of today that a crash kept from being proposed, at each comparison of the books."""
        for position in self.state.ledger.positions():
            is_bare = self.order_changes.unguarded(position) > 0 and not self.proposals.is_leaving(position)
            for order in self._expired_today(position) if is_bare else ():
                done_apart(self.state, partial(self._ask_again, order))

    def _expired_today(self, position: Position) -> list[Order]:
        day_of, today = self.state.calendar.trading_day, self.state.calendar.trading_day(self.state.at)
        expired = [o for o in self.state.ledger.state.orders.values() if o.status is OrderStatus.EXPIRED]
        of_it = [o for o in expired if (o.request.symbol, o.strategy) == (position.symbol, position.strategy)]
        return [o for o in of_it if o.id not in self._asked and o.ended_at and day_of(o.ended_at) == today]

    def _ask_again(self, order: Order) -> None:
        """Propose the unsold quantity if no stop or other exit has those shares."""
        symbol = order.request.symbol
        position = self.state.ledger.position(symbol, order.strategy)
        is_of_a_key = order.only_reduces and not order.is_protective and order.role is None and not order.is_target
        if position is None or not is_of_a_key or order.remaining <= 0 or order.cancel_requested_at is not None:
            return
        if symbol in self.state.sightings.differing or self.order_changes.unguarded(position) <= 0:
            return
        self._asked.add(order.id)
        if not self.state.ledger.has(order_id_of("again", order.id)):
            self.proposals.stage_again(order, WITH_ITS_DAY, GuardCode.EXIT_WITH_ITS_DAY)
