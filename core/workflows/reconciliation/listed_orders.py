"""Compare orders with the broker's books: take in missed news, look up orders that they do not list.

Steps 3 to 5 of a reconciliation; the cost of a comparison does not grow with the number of past orders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from functools import partial

from core.execution.order import Order, has_news
from core.execution.reconciliation import Comparison
from core.facts import (
    Source,
)
from core.messages.effects import Effect
from core.model.broker import OrderReport
from core.model.order import OrderStatus
from core.model.values import ZERO, ClientOrderId, Symbol
from core.trading_state.state import TradingState
from core.workflows.base.isolation import apart
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates, is_ours
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.protection.protective_stops import ProtectiveStops


class ListedOrders:
    """Takes in the broker's list of our orders, and tells whether an order may explain a difference."""

    def __init__(
        self,
        state: TradingState,
        order_updates: OrderUpdates,
        order_recovery: OrderRecovery,
        cancellation: Cancellation,
        protective_stops: ProtectiveStops,
        excess_exits: ExcessExits,
    ) -> None:
        self.state = state
        self.order_updates = order_updates
        self.order_recovery = order_recovery
        self.cancellation = cancellation
        self.protective_stops = protective_stops
        self.excess_exits = excess_exits
        self._restless: set[ClientOrderId] = set()
        self._asked_once_more: set[ClientOrderId] = set()

    def take_in(self, comparison: Comparison) -> Iterator[Effect]:
        """Take in working orders and reports that may contain news."""
        listing = comparison.listing
        self._restless, listing.fresh = self._restless | listing.fresh, set()
        told = [report for order_id in self._restless if (report := listing.reports.get(order_id)) is not None]
        for report in self._forgotten(told):
            yield from apart(self.state, partial(self._recall, report))
        for order in self._to_look_at():
            if comparison.is_unread(order):
                continue  # it is there, and stays as it is
            is_there = order.id in listing.reports  # whatever an earlier run believed of it
            if is_there or not self.state.sightings.departing.is_here(order):
                yield from apart(self.state, partial(self._take_in_one, order, comparison))
        for order in self._to_look_at():
            if order.id not in listing.reports and not comparison.is_unread(order):
                yield from apart(self.state, partial(self.order_recovery.end_missing, order, comparison))
        self._restless = {report.client_order_id for report in told if not self._rests(report)}

    def _to_look_at(self) -> list[Order]:
        """Return working orders, those with possible news, and those to be looked up in the books; oldest first."""
        working = (order.id for order in self.state.ledger.working())
        return self.state.ledger.in_order({*working, *self._restless, *self.order_recovery.in_books})

    def _take_in_one(self, order: Order, comparison: Comparison) -> Iterator[Effect]:
        report = comparison.listing.reports.get(order.id)
        if report is not None and is_ours(self.state, order, report):
            is_alive = report.status is not None and report.status.is_working  # given up here, but still at the broker
            is_news = order.is_working or is_alive or report.filled_quantity > order.filled_quantity
            if is_news or self.order_updates.adopting.wants_more(order):
                yield from self.order_updates.absorb(order, report, Source.RECONCILIATION)
                yield from self.order_recovery.ask_for_legs(order)
        elif order.is_working and order.id not in self.order_recovery.next_look_up:
            left_at = self.state.sightings.departing.left_at(order)
            if order.status is OrderStatus.PENDING and self.state.at - left_at < self._grace():
                return
            yield from self.order_recovery.ask(order)
        was_asked_for = order.id in self.order_recovery.in_books and report is not None
        yield from self.order_recovery.on_books(order, is_listed=report is not None)
        if was_asked_for:
            self.excess_exits.after_look_up(order)
            yield from self.protective_stops.after_look_up(order)
        if order.is_cancelling and order.id not in self.order_recovery.next_look_up:
            yield from self.cancellation.again(order)

    def _forgotten(self, told: list[OrderReport]) -> list[OrderReport]:
        """Return the reports of orders that may have left memory, in a fixed order."""
        ledger = self.state.ledger
        gone = [report for report in told if ledger.order(report.client_order_id) is None]
        return sorted(gone, key=lambda report: report.client_order_id) if ledger.state.forgotten else []

    def _recall(self, report: OrderReport) -> None:
        self.state.order_of(report)

    def _rests(self, report: OrderReport) -> bool:
        """Whether the report can contain no news: the order has ended and its fills and legs are known.

        A working order is checked each time, also if it works only at the broker.
        """
        order = self.state.ledger.order(report.client_order_id)
        if order is None:
            return True
        legs = self.state.ledger.legs
        has_legs = not order.request.legs or order.is_bare or (legs.of(order.id) and not legs.lack_some(order))
        return bool(has_legs) and not has_news(report, order)

    def _grace(self) -> timedelta:
        """Return the time that an order sent by this run may be missing from the books; zero for an earlier run's."""
        if not self.state.control.state.is_reconciled:
            return timedelta(0)
        return timedelta(seconds=float(self.state.control.settings.execution.answer_seconds))

    def may_explain(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether an order of the symbol may explain a difference.

        It is in doubt, its legs are unknown, or its fills are newer than the books. Or the broker no longer lists it,
        as after a week: its fills are looked up, and would count twice.
        """
        for order in self.state.ledger.state.orders.values():
            if order.request.symbol != symbol:
                continue
            is_asked = order.id in self.order_recovery.next_look_up
            if (order.is_working and order.in_doubt_since is not None) or (
                is_asked and self.order_updates.adopting.awaits(order)
            ):
                return True
            if is_asked and order.is_given_up:
                return True
            report = comparison.reports.get(order.id)
            has_left = order.status is OrderStatus.PENDING and not self.state.sightings.departing.is_here(order)
            if order.is_working and report is None and (is_asked or has_left):
                return True
            is_recent = order.ended_at is None or order.ended_at >= comparison.picture.account.at
            shown = report.filled_quantity if report else ZERO
            if (report is not None or is_recent) and order.filled_quantity > shown:
                return True
        return False

    def look_up_what_was_given_up(self, symbols: Collection[Symbol], comparison: Comparison) -> Iterator[Effect]:
        """Look up, once, our orders that never arrived as far as this run knows."""
        orders = list(self.state.ledger.state.orders.values()) if symbols else ()
        for order in orders:
            is_unseen = order.is_given_up and order.request.symbol in symbols and order.id not in comparison.reports
            if is_unseen and order.id not in self._asked_once_more:
                self._asked_once_more.add(order.id)
                yield from self.order_recovery.ask(order)
