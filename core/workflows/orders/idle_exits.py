"""Mark exits that the broker holds but does not trade: they keep working but cover nothing (EX-22).

An exit is marked by the broker's status, or because a market sale has not filled in time: the broker turns most of
those into limits at a collar, five per cent from the quote, and a stop that the market has passed becomes one of them.
Nothing is sent or cancelled here; an order is looked up before it is marked by time, as its fill may have been missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.execution import order_states
from core.execution.order import Order
from core.facts import OrderIdled, OrderTradesAgain
from core.messages.effects import Effect, LookUpOrder
from core.messages.inputs import BarArrived
from core.model.broker import OrderReport
from core.model.codes import IdleCode
from core.model.order import OrderStatus, OrderType, Side
from core.model.session import Session
from core.model.values import ClientOrderId, Symbol
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers

LOOKED_UP_AFTER = timedelta(seconds=5)
"""Time without a fill after which a market order is looked up, once."""
UNFILLED_AFTER = timedelta(seconds=10)
"""Time without a fill after which a market order is marked; it usually fills within two seconds in an open market."""
OVER_FOR_THE_DAY = frozenset({"done_for_day", "calculated"})
"""Statuses of a stop after each close: the usual end of its day, counted only from the next open."""


def follow_word(state: TradingState, order: Order, report: OrderReport) -> None:
    """Mark or unmark a working exit by the broker's status; a doubt whether the broker has it is over."""
    if not order.only_reduces or not order.is_working or order.broker_order_id != report.broker_order_id:
        return
    word, code = report.raw_status, order_states.idle_code(report.raw_status)
    is_back = order.in_doubt_since is not None
    if word in OVER_FOR_THE_DAY and order.idle is None and not is_back and not _is_open(state):
        state.sightings.done_for_day.add(order.id)
        return
    state.sightings.done_for_day.discard(order.id)
    if code is not None and (is_back or (code, word) != (order.idle, order.idle_word)):
        state.record(OrderIdled(order.id, code, word))
    elif code is None and (is_back or order.idle not in (None, IdleCode.UNFILLED)):
        state.record(OrderTradesAgain(order.id, word))


class IdleExits:
    """`_asked` holds the market orders that were looked up, `_passed` the time at which the market passed a stop."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked: set[ClientOrderId] = set()
        self._passed: dict[ClientOrderId, datetime] = {}

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> tuple[()]:
        """Note the stops that the market has passed; one that it came back over has not triggered."""
        for stop in self._stops(message.bar.symbol):
            if self._is_passed(stop):
                self._passed.setdefault(stop.id, self.state.at)
                continue
            self._passed.pop(stop.id, None)
            if stop.idle is IdleCode.UNFILLED:
                self.state.record(OrderTradesAgain(stop.id, stop.idle_word))
        return ()

    def _stops(self, symbol: Symbol) -> Iterator[Order]:
        if not self.state.ledger.positions_in(symbol):  # asked at each bar: most symbols are not held
            return
        for order in self.state.ledger.working():
            is_stop = order.request.type is OrderType.STOP and order.only_reduces and order.request.symbol == symbol
            if is_stop and order.status is not OrderStatus.PENDING and not self.state.ledger.legs.is_held(order):
                yield order

    def _is_passed(self, stop: Order) -> bool:
        """Whether the last bar, or both sides of a newer quote, are beyond the stop's price."""
        symbol, level = stop.request.symbol, stop.request.stop_price
        last, quote = self.state.last_price(symbol), self.state.sightings.quotes.get(symbol)
        if last is None or level is None:
            return False
        at, price = last
        is_sale = stop.request.side is Side.SELL
        if quote is not None and quote.at == at:
            price = quote.ask if is_sale else quote.bid
        return price <= level if is_sale else price >= level

    def next_due(self) -> Iterator[datetime]:
        for order in self._at_the_market():
            began = self._began(order)
            yield began + (UNFILLED_AFTER if order.id in self._asked else LOOKED_UP_AFTER)
        if self.state.sightings.done_for_day:
            now = self.state.calendar.session_at(self.state.at)
            yield now.open if isinstance(now, Session) else self.state.calendar.next_session(self.state.at).open

    def due(self) -> Iterable[Effect]:
        if self.state.sightings.done_for_day and _is_open(self.state):
            self.state.sightings.done_for_day.clear()
            self.state.sightings.books_are_wanted = True
        orders = list(self._at_the_market())
        self._passed = {name: at for name, at in self._passed.items() if self.state.ledger.is_working(name)}
        self._asked &= {order.id for order in orders}
        for order in orders:
            began = self._began(order)
            if order.id not in self._asked and self.state.at >= began + LOOKED_UP_AFTER:
                self._asked.add(order.id)
                yield LookUpOrder(order.id, with_legs=bool(order.request.legs))
            elif order.id in self._asked and self.state.at >= began + UNFILLED_AFTER:
                if order.id in self._passed and not self._is_passed(order):
                    del self._passed[order.id]
                    continue
                self.state.record(OrderIdled(order.id, IdleCode.UNFILLED, order.idle_word))

    def _at_the_market(self) -> Iterator[Order]:
        """Yield market exits at the broker that are not marked as unfilled yet."""
        for order in self.state.ledger.working():
            is_out = order.only_reduces and order.request.type.goes_at_once and order.status is not OrderStatus.PENDING
            if (is_out or order.id in self._passed) and order.idle is not IdleCode.UNFILLED:
                yield order

    def _began(self, order: Order) -> datetime:
        """Return the time since when it could have filled: never before its market opened."""
        calendar, at = self.state.calendar, self.state.at
        now = calendar.session_at(at)
        opened = now.open if isinstance(now, Session) else calendar.next_session(at).open
        return max(order.submitted_at or order.created_at, opened, self._passed.get(order.id, opened))


def _is_open(state: TradingState) -> bool:
    return isinstance(state.calendar.session_at(state.at), Session)
