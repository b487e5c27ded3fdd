"""A stop whose day is over, that never reached the broker or that it refused is asked for again: shares are held
without it (EX-13).

The broker's stops of fractions, and those that it makes with an entry, are orders for the day. As soon as one is told
as expired, a stop for the same shares at the same price waits for its key: until it is cancelled where the shares are
whole, for the next session else. A closed market keeps it until it opens.

What the broker refused is asked for once: where it refuses that ticket's stop too, nothing follows by itself.
"""

from __future__ import annotations

from functools import partial

from core.desk import Desk
from core.execution.order import Order
from core.facts import OrderStateChanged
from core.model.codes import CUT, EndCode, GuardCode
from core.model.order import OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MandateKind
from core.model.values import Price, ProposalId
from core.workflows.apart import done_apart
from core.workflows.changing import Asked, Changing
from core.workflows.contract import follows
from core.workflows.holding_over import is_held_over
from core.workflows.proposing import Proposing, closing_side

WITH_ITS_DAY = Asked("its stop ended with the day", GuardCode.WITH_ITS_DAY)
PERMITTED_NO_MORE = Asked("its stop is owed, and what was signed for it has ended", GuardCode.PERMITTED_NO_MORE)
NOT_THERE = Asked("its stop never reached the broker", GuardCode.NOT_THERE)
REFUSED = Asked("the broker refused its stop", GuardCode.REFUSED)
KEPT_BACK = Asked("its stop was kept back before it was sent", GuardCode.KEPT_BACK)
OF_THIS_DESK = frozenset(asked.code for asked in (WITH_ITS_DAY, PERMITTED_NO_MORE, NOT_THERE, REFUSED, KEPT_BACK))
FOR_DAYS = frozenset({GuardCode.WITH_ITS_DAY, GuardCode.PERMITTED_NO_MORE})
"""Where the shares are whole, the stop that is asked for lasts until it is cancelled."""


class Renewing:
    def __init__(self, desk: Desk, changing: Changing, proposing: Proposing) -> None:
        self.desk = desk
        self.changing = changing
        self.proposing = proposing

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> None:
        order = self.desk.ledger.order(fact.client_order_id)
        if order is not None and fact.after.is_terminal:
            self._ask_in_place_of(order)

    def ask_again(self, order: Order, why: Asked) -> None:
        """What was not sent waits for another key: a stop for what is bare, anything else as it was."""
        if order.request.replaces is not None:
            self.changing.stage_move_again(order, why)
        elif order.is_protective and _has_a_price(order):
            self.ask(order, why)
        else:
            self.proposing.stage_again(order, why.words)

    def _ask_in_place_of(self, order: Order) -> None:
        """What is flat by the close has an urgent exit of its own; a trailing stop has no price to ask for."""
        why = _why_asked_for(order)
        if why is not None and not self._is_owed_by_its_entry(order):
            self.ask(order, why)

    def _is_owed_by_its_entry(self, leg: Order) -> bool:
        """Of an entry that was not filled whole the stop is no leg's: what it bought has its own, as it was signed."""
        is_held = self.desk.ledger.is_held(leg)
        return is_held and bool(self.desk.stage.mandates(MandateKind.PROTECTIVE_STOP, leg.parent))

    def resume(self) -> None:
        """At each look into the books: what a crash kept from being asked for; what was asked for once is not again."""
        for position in self.desk.ledger.positions():
            if position.symbol in self.desk.differing or self.changing.unguarded(position) <= 0:
                continue
            last = self.desk.ledger.last_stop(position)
            if last is not None and not last.is_asked_for:
                done_apart(self.desk, partial(self._ask_in_place_of, last))

    def ask_for_cut(self, stop: Order) -> bool:
        """Its shares are there again, and its day is over or the broker refused the same: once. Whether it was."""
        day_of = self.desk.calendar.trading_day
        is_today = day_of(self.desk.at) == day_of(stop.created_at)
        is_good_yet = is_today or stop.request.time_in_force is TimeInForce.GTC
        why = REFUSED if is_good_yet else WITH_ITS_DAY
        return stop.is_asked_for or self.ask_for(stop.request, stop.strategy, why)

    def ask_for_blocked(self, stop: Order) -> bool:
        """The gateway kept it back, and nothing sends it again; who turned its own key knows of it."""
        return not _is_of_a_key(stop) and self.ask_for(stop.request, stop.strategy, KEPT_BACK)

    def ask(self, order: Order, why: Asked) -> None:
        """A stop like this one, for what is bare of its position."""
        self.ask_for(order.request, order.strategy, why)

    def ask_for(self, order: OrderRequest, strategy: str, why: Asked = PERMITTED_NO_MORE) -> bool:
        """The same of a stop that never was an order; whether one waits now for what is bare."""
        position = self.desk.ledger.position(order.symbol, strategy)
        is_of_it = position is not None and closing_side(position) is order.side
        if position is None or not is_of_it or order.type is OrderType.TRAILING_STOP:
            return False
        bare = self.changing.unguarded(position)
        price = self._price(position, order, why)
        if price is None or bare <= 0 or is_held_over(self.desk, position):
            return False
        is_long = order.time_in_force is TimeInForce.GTC or why.code in FOR_DAYS
        is_for_days = is_long and bare == bare.to_integral_value()
        lasts = TimeInForce.GTC if is_for_days else TimeInForce.DAY
        return self.changing.stage_guard(position, bare, price, why, lasts)

    def _price(self, position: Position, order: OrderRequest, why: Asked) -> Price | None:
        """Of several that end with one day the nearest to the market: one stop is asked for, for all that is bare."""
        waiting = (p for p in self.desk.stage.proposals() if p.is_guard and p.order.replaces is None)
        of_it = (p for p in waiting if (p.symbol, p.strategy) == (position.symbol, position.strategy))
        prices = [p.order.stop_price for p in of_it if p.guard in OF_THIS_DESK | {why.code}] + [order.stop_price]
        known = [price for price in prices if price is not None]
        if not known:
            return None
        return max(known) if order.side is Side.SELL else min(known)


def _why_asked_for(order: Order) -> Asked | None:
    if not order.is_protective:
        return None
    if order.status is OrderStatus.EXPIRED:
        return WITH_ITS_DAY
    if order.status is OrderStatus.REJECTED:
        return None if _is_of_a_key(order) or _was_taken_back(order) else REFUSED
    return NOT_THERE if order.end_code is EndCode.NEVER_ARRIVED else None


def _has_a_price(stop: Order) -> bool:
    """Whether it is a stop at a price of its own: a trailing one has none."""
    return stop.exit_reason is ExitReason.STOP_LOSS and stop.request.type is not OrderType.TRAILING_STOP


def _is_of_a_key(stop: Order) -> bool:
    """Whether a key was turned for it alone: whoever turned it is told what became of it."""
    return stop.proposal_id == ProposalId(stop.id)


def _was_taken_back(stop: Order) -> bool:
    """Whether a person took it back before the broker's word came."""
    return stop.cancel_requested_at is not None and stop.cancel_code not in CUT
