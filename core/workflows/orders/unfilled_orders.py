"""Look up orders that the market should have filled, and mark exits that it did not fill (EX-22).

The message of a fill may be lost while the stream is up. An order at the market without news for five seconds of an
open session is looked up, and so is a limit whose price the market had reached when it was accepted or has reached
since, and a stop that the market has passed for as long. It is looked up again after pauses that double up to a minute;
a limit that the market has left, once.

An exit that would sell at any price is marked after ten seconds: the broker turns most of those into limits at a
collar, five per cent from the quote, and a stop that the market has passed becomes one of them. It is looked up before
it is marked. Nothing is sent or cancelled here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.execution.order import Order
from core.facts import OrderIdled, OrderStateChanged, OrderTradesAgain
from core.messages.effects import Effect
from core.messages.inputs import BarArrived, QuoteArrived
from core.model.codes import IdleCode
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus, OrderType, Side
from core.model.session import Session
from core.model.values import ClientOrderId, Symbol
from core.trading_state.state import TradingState
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.workflow import answers, follows

LOOKED_UP_AFTER = timedelta(seconds=5)
"""Time without news after which an order that the market should have filled is looked up; the next pauses double."""
LONGEST = timedelta(minutes=1)
"""The longest pause between two look-ups."""
UNFILLED_AFTER = timedelta(seconds=10)
"""Time without a fill after which a market exit is marked; it usually fills within two seconds in an open market."""
WITH_A_PRICE = frozenset({OrderType.LIMIT, OrderType.STOP})
"""Types whose price is known here. A trailing stop's is the broker's, and a stop-limit may rest beyond both."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """When an order was looked up, and the pause until the next time."""

    at: datetime
    pause: timedelta


class UnfilledOrders:
    """`_asked` holds the last look-up of an order, `_passed` the time at which the market passed its price."""

    RUNS_WITH_OTHERS = True

    def __init__(self, state: TradingState, order_recovery: OrderRecovery) -> None:
        self.state = state
        self.order_recovery = order_recovery
        self._asked: dict[ClientOrderId, LookedUp] = {}
        self._passed: dict[ClientOrderId, datetime] = {}

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> tuple[()]:
        self._look(message.bar.symbol)
        return ()

    @answers(QuoteArrived)
    def on_quote(self, message: QuoteArrived) -> tuple[()]:
        self._look(message.quote.symbol)
        return ()

    @follows(OrderStateChanged)
    def after_acceptance(self, fact: OrderStateChanged) -> None:
        """Note an order that the market may fill at once: no later price needs to say so."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is not None and fact.after is OrderStatus.SUBMITTED:
            self._look(order.request.symbol)

    def _look(self, symbol: Symbol) -> None:
        """Note the orders whose price the market has passed; a stop that it came back over has not triggered."""
        for order in (order for side in Side for order in self.state.ledger.working_on(symbol, side)):
            is_waiting = order.request.type in WITH_A_PRICE and order.status is not OrderStatus.PENDING
            if not is_waiting or self.state.ledger.legs.is_held(order):
                continue
            if self._is_passed(order):
                if order.id not in self._passed:
                    self._passed[order.id] = self.state.at
                    self.state.sightings.deadline_moved = True
                continue
            may_have_filled = order.request.type.rests and order.id not in self._asked
            if not may_have_filled:
                self._forget(order)
            if order.idle is IdleCode.UNFILLED:
                self.state.record(OrderTradesAgain(order.id, order.idle_word))

    def _is_passed(self, order: Order) -> bool:
        """Whether the last bar, or both sides of a newer quote, are beyond the order's price."""
        request = order.request
        level = request.limit_price if request.type.rests else request.stop_price
        if level is None:
            return False
        is_below = not request.type.waits_above(request.side)  # it trades when the price falls to its level
        return self.state.has_passed(request.symbol, level, is_below=is_below)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for order in self._overdue():
            yield self._looked_up_at(order)
            if self._is_to_be_marked(order):
                yield self._marked_at(order)
        if self.state.sightings.done_for_day:
            yield self._opened()

    def due(self) -> Iterator[Effect]:
        at = self.state.at
        if self.state.sightings.done_for_day and at >= self._opened():
            self.state.sightings.done_for_day.clear()
            self.state.sightings.books_are_wanted = True
        orders = list(self._overdue())
        names = {order.id for order in orders}
        self._passed = {name: since for name, since in self._passed.items() if name in names}
        self._asked = {name: asked for name, asked in self._asked.items() if name in names}
        for order in orders:
            if self._is_to_be_marked(order) and at >= self._marked_at(order):
                if order.id in self._passed and not self._is_passed(order):
                    del self._passed[order.id], self._asked[order.id]
                    continue
                self.state.record(OrderIdled(order.id, IdleCode.UNFILLED, order.idle_word))
        yield from self._look_up([order for order in orders if at >= self._looked_up_at(order)])

    def _look_up(self, orders: list[Order]) -> Iterator[Effect]:
        for order in orders:
            before = self._asked.get(order.id)
            pause = LOOKED_UP_AFTER if before is None or self._has_news(order, before) else before.pause
            self._asked[order.id] = LookedUp(self.state.at, min(pause * 2, LONGEST))
        yield from self.order_recovery.look_up_all(orders)
        for order in orders:
            if order.request.type.rests and not self._is_passed(order):
                self._forget(order)

    def _forget(self, order: Order) -> None:
        if self._passed.pop(order.id, None) is not None:
            self._asked.pop(order.id, None)

    def _overdue(self) -> Iterator[Order]:
        """Yield orders that the market should fill: those that go at once, and those whose price it has passed."""
        for order in self.state.ledger.working():
            if order.id in self._passed or (order.request.type.goes_at_once and self._has_left(order)):
                yield order

    def _has_left(self, order: Order) -> bool:
        """Whether the broker has it, or may have it and nothing looks it up yet."""
        is_pending = order.status is OrderStatus.PENDING
        return not is_pending or (order.in_doubt_since is None and not self.state.sightings.departing.is_here(order))

    def _is_to_be_marked(self, order: Order) -> bool:
        """Whether it is an exit at any price that was looked up and is not marked yet."""
        is_exit = order.only_reduces and not order.request.type.has_limit and order.status is not OrderStatus.PENDING
        return is_exit and order.id in self._asked and order.idle is not IdleCode.UNFILLED

    def _marked_at(self, order: Order) -> datetime:
        """Return when it is marked: not before its look-up had time for an answer."""
        return max(self._began(order) + UNFILLED_AFTER, self._asked[order.id].at + (UNFILLED_AFTER - LOOKED_UP_AFTER))

    def _looked_up_at(self, order: Order) -> datetime:
        asked = self._asked.get(order.id)
        if asked is None:
            return self._began(order) + LOOKED_UP_AFTER
        return (
            (order.last_filled_at or asked.at) + LOOKED_UP_AFTER
            if self._has_news(order, asked)
            else asked.at + asked.pause
        )

    def _has_news(self, order: Order, asked: LookedUp) -> bool:
        """Whether a fill came since it was looked up."""
        return order.last_filled_at is not None and order.last_filled_at > asked.at

    def _began(self, order: Order) -> datetime:
        """Return the time since when it could have filled: never before its market opened."""
        sent_at = order.submitted_at or self.state.sightings.departing.left_at(order)
        opened = self._opened()
        return max(sent_at, opened, self._passed.get(order.id, opened))

    def _opened(self) -> datetime:
        """Return when this session opened, or when the next one will."""
        calendar, at = self.state.calendar, self.state.at
        now = calendar.session_at(at)
        return now.open if isinstance(now, Session) else calendar.next_session(at).open
