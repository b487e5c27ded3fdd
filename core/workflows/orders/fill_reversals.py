"""Take back the fills that the broker took back: a bust or a correction of a trade (EX-05, EX-09).

The broker lists the order with fewer fills, and its positions differ by exactly these shares. Its own event proves that
with one comparison of the books. Without one, two comparisons ten seconds apart must show the same: a list can be older
than a fill. The same holds for a corrected price, which the order's average shows. Books, average, result and trade
follow. A stop that is too large is cut, and one that is missing is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from core import facts
from core.execution.fill_reversal import cost_taken_back, reversal_of
from core.execution.order import Order, cost_beyond, is_repriced
from core.execution.reconciliation import Comparison
from core.messages.effects import Effect, FetchAccount
from core.model.broker import OrderReport
from core.model.order_terms import order_in_words
from core.model.reconciliation import APART, Difference
from core.model.values import CENT, NO_SHARES, ClientOrderId, Money, Price, Quantity, Symbol, plain
from core.trading_state.state import TradingState
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.workflow import follow_up, follows

SHOWN_WITHIN = timedelta(minutes=2)
"""How long after the broker's own event its lists may take to show it."""
Fewer = tuple[tuple[ClientOrderId, Quantity], ...]
"""Orders with their filled quantity by one reading."""


class FillReversals:
    def __init__(self, state: TradingState, order_updates: OrderUpdates) -> None:
        self.state = state
        self.order_updates = order_updates
        self._filled_at: dict[ClientOrderId, datetime] = {}
        self._seen: dict[Symbol, tuple[datetime, Fewer]] = {}
        self._repriced: dict[ClientOrderId, tuple[datetime, Price]] = {}

    @follows(facts.OrderFilled)
    def after_fill(self, fact: facts.OrderFilled) -> None:
        self._filled_at[fact.fill.client_order_id] = self.state.at

    def take_back(self, positions: Sequence[Difference], comparison: Comparison) -> Iterator[Effect]:
        """Record the reversals that this comparison proves."""
        self._filled_at = {name: at for name, at in self._filled_at.items() if self.state.at - at < APART}
        seen: dict[Symbol, tuple[datetime, Fewer]] = {}
        for symbol in [difference.symbol for difference in positions]:
            rows = comparison.taken_back(symbol)
            is_said = bool(rows) and all(order.id in self.order_updates.said_taken_back for order, _ in rows)
            if not rows or (not is_said and any(order.id in self._filled_at for order, _ in rows)):
                continue
            fewer = tuple((order.id, report.filled_quantity) for order, report in rows)
            since, before = self._seen.get(symbol, (self.state.at, fewer))
            seen[symbol] = (since if before == fewer else self.state.at), fewer
            if is_said or self.state.at - seen[symbol][0] >= APART:
                for order, report in rows:
                    yield from self._reverse(order, report)
                    self.order_updates.said_taken_back.pop(order.id, None)
                del seen[symbol]
        self._seen = seen
        yield from self._follow_corrections(comparison)
        yield from self._follow_averages(comparison)

    def _follow_corrections(self, comparison: Comparison) -> Iterator[Effect]:
        """Correct the cost of orders of which the broker said so; wait for a while for what its lists do not show."""
        said = self.order_updates.said_taken_back
        orders = [order for name in said if (order := self.state.ledger.order(name)) is not None]
        for order in orders:
            listed = comparison.reports.get(order.id)
            is_repriced = False
            if listed is not None and listed.filled_quantity == order.filled_quantity:
                before = order.filled_cost
                yield from self._reprice(order, listed)
                is_repriced = order.filled_cost != before
            if is_repriced or self.state.at - said[order.id] >= SHOWN_WITHIN:
                del said[order.id]
        self.state.sightings.disputed = frozenset(order.request.symbol for order in orders if order.id in said)

    def accept(self, comparison: Comparison) -> Iterator[Effect]:
        """Take back what the broker lists no more of orders in symbols that differ: its books were accepted as a whole.

        Fewer fills that stayed would explain a later difference.
        """
        for symbol in [difference.symbol for difference in comparison.positions()]:
            for order, report in comparison.with_fewer_fills(symbol):
                yield from self._reverse(order, report)

    def _follow_averages(self, comparison: Comparison) -> Iterator[Effect]:
        """Correct the cost of orders whose average by two readings is another than what was counted."""
        before, self._repriced = self._repriced, {}
        for order in list(self.state.ledger.state.orders.values()):
            listed = comparison.reports.get(order.id)
            if listed is None or listed.average_price is None or not is_repriced(listed, order):
                continue
            since, average = before.get(order.id, (self.state.at, listed.average_price))
            since = since if average == listed.average_price else self.state.at
            self._repriced[order.id] = since, listed.average_price
            if self.state.at - since >= APART:
                yield from self._reprice(order, listed)

    def unproven(self, symbol: Symbol) -> str:
        """Return what one reading shows and does not prove yet; empty if there is nothing of the kind."""
        found = self._seen.get(symbol)
        if found is None:
            return ""
        orders = {name: self.state.ledger.order(name) for name, _ in found[1]}
        named = ", ".join(
            f"our {order_in_words(order.request)} has filled {plain(filled)}"
            for name, filled in found[1]
            if (order := orders[name]) is not None
        )
        return (
            f"{symbol}: the broker says that {named}, less than it had reported; read again in "
            f"{APART.total_seconds():g} s before it is believed"
        )

    def _reverse(self, order: Order, report: OrderReport) -> Iterator[Effect]:
        quantity = Quantity(order.filled_quantity - report.filled_quantity)
        cost = cost_taken_back(order, quantity, report.average_price)
        yield from self._record(order, report.filled_quantity, quantity, cost)

    def give_back(self, records: Iterable[tuple[Order, Quantity]]) -> Iterator[Effect]:
        """Take back that shares were paid out: they are their owners' again, at their cost (EX-25)."""
        for order, quantity in records:
            left = Quantity(order.filled_quantity - quantity)
            yield from self._record(order, left, quantity, cost_taken_back(order, quantity, None))

    def _reprice(self, order: Order, report: OrderReport) -> Iterator[Effect]:
        """Correct the cost of fills whose price the broker corrected, beyond what its average rounds away."""
        if report.average_price is None or not order.filled_quantity:
            return
        if abs(cost := cost_beyond(report.average_price, order)) >= CENT / 2:
            yield from self._record(order, report.filled_quantity, NO_SHARES, cost)

    def _record(self, order: Order, left: Quantity, quantity: Quantity, cost: Money) -> Iterator[Effect]:
        request, undo = order.request, reversal_of(self.state.ledger.state, order, quantity, cost)
        self.state.record(
            facts.FillReversed(
                order.id,
                request.symbol,
                order.strategy,
                request.side,
                quantity,
                cost,
                left,
                facts.Source.RECONCILIATION,
                undo.realised,
                undo.undone,
                undo.corrected,
            )
        )
        held = self.state.ledger.position(request.symbol, order.strategy)
        self.state.record(
            facts.PositionChanged(
                request.symbol,
                order.strategy,
                held.quantity if held else NO_SHARES,
                held.average_price if held else None,
                undo.realised,
            )
        )
        yield from follow_up(self.state)
        yield FetchAccount()
