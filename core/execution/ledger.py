"""The ledger: all our orders, every execution once, the positions that they make, and the trades.

It folds facts and answers queries. It decides nothing, and no other class changes an order's status or a position. Each
of its parts covers one subject; further queries go to the part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from core.execution.ledger_state import ExitClaims, LedgerIndex, LedgerState, Legs, ReplacementChains
from core.execution.order import Order
from core.execution.order_folds import OrderFolds
from core.execution.past_orders import OrderRetention, PastInMemory
from core.execution.position_book import PositionBook
from core.facts import DayStarted, OrdersRecalled
from core.model.position import Position
from core.model.session import Calendar
from core.model.sizing import RegimeLabels
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Money, Price, Quantity, Symbol
from core.ports import PastIndex


class Ledger:
    """The slice of orders, executions, positions and trades.

    Parameters
    ----------
    regime
        Return the market regime, recorded with a position opened now.
    is_still_told
        Whether a report may still mention an order.
    named
        Return orders that a signed or waiting item may still name.

    Attributes
    ----------
    chains
        The replacement chains.
    legs
        The legs that the broker created with an order.
    exits
        Shares claimed by working exits.
    retention
        Orders that left memory, and their recall.
    book
        Fills: the positions that they opened, and the trade that the last one ended.
    """

    name = "orders"

    def __init__(
        self,
        calendar: Calendar,
        past: PastIndex | None = None,
        *,
        regime: Callable[[], RegimeLabels | None] = lambda: None,
        is_still_told: Callable[[ClientOrderId], bool] = lambda _order_id: False,
        named: Callable[[datetime], Collection[ClientOrderId]] = lambda _at: (),
    ) -> None:
        self.calendar = calendar
        self._index = LedgerIndex()
        self.chains = ReplacementChains(self._index)
        self.legs = Legs(self._index)
        self.exits = ExitClaims(self._index, self.chains, self.legs)
        self.retention = OrderRetention(self._index, self.legs, calendar, past or PastInMemory(), is_still_told, named)
        self.book = PositionBook(self._index, self.chains, calendar, regime)
        self.folds: Mapping[Any, Any] = {
            **OrderFolds(self._index, self.chains, self.retention.require_new).folds,
            **self.book.folds,
            OrdersRecalled: self.retention.recall,
            DayStarted: self._day_started,
        }

    @property
    def state(self) -> LedgerState:
        return self._index.state

    def restore(self, state: LedgerState) -> None:
        """Restore a saved state."""
        self._index.restore(state)

    def _day_started(self, at: datetime, _fact: DayStarted) -> None:
        self.book.forget(at)
        self.retention.forget(at)

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, order_id: ClientOrderId) -> Order | None:
        return self.state.orders.get(order_id)

    def has(self, order_id: ClientOrderId) -> bool:
        """Whether this id was ever used, in memory or in the index."""
        return self.retention.has(order_id)

    def is_working(self, order_id: ClientOrderId) -> bool:
        order = self.state.orders.get(order_id)
        return order is not None and order.is_working

    def working(self) -> Iterator[Order]:
        return iter(tuple(self._index.working.values()))

    def in_order(self, order_ids: Iterable[ClientOrderId]) -> list[Order]:
        """Return those orders that are in memory, oldest first."""
        here = {order_id for order_id in order_ids if order_id in self.state.orders}
        return [self.state.orders[order_id] for order_id in sorted(here, key=self._index.places.__getitem__)]

    def working_entries(self, symbol: Symbol | None = None, strategy: str | None = None) -> tuple[Order, ...]:
        """Return working orders that open or add."""
        if not self._index.working:
            return ()
        return tuple(
            o
            for o in self._index.working.values()
            if not o.only_reduces
            and (symbol is None or o.request.symbol == symbol)
            and (strategy is None or o.strategy == strategy)
        )

    def lost_today(self, symbol: Symbol, at: datetime) -> Iterator[Order]:
        """Orders that ended today because the broker did not have them."""
        today = self.calendar.trading_day(at)
        for order in self.state.orders.values():
            is_its = order.is_lost and order.request.symbol == symbol
            if is_its and order.ended_at is not None and self.calendar.trading_day(order.ended_at) == today:
                yield order

    def unfilled_entries(self, strategy: str, day: date) -> tuple[Order, ...]:
        """Return working entries of a strategy without a fill on a trading day, whatever was filled before.

        One per replacement chain.
        """
        return tuple(
            o
            for o in (self.working_entries(strategy=strategy) if self._index.working else ())
            if not self.chains.has_filled_on(day, o) and self.chains.replaced(o) is None
        )

    def entries_filled(self, strategy: str, day: date) -> int:
        """Return the number of a strategy's entry orders filled on a trading day, wholly or in part."""
        return self.state.entries.get(strategy, 0) if self.state.entries_day == day else 0

    # ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

    def position(self, symbol: Symbol, strategy: str) -> Position | None:
        return self.state.position(symbol, strategy)

    def positions(self) -> tuple[Position, ...]:
        return tuple(self.state.positions.values())

    def positions_in(self, symbol: Symbol) -> tuple[Position, ...]:
        return self.state.positions_in(symbol)

    def net_quantity(self, symbol: Symbol) -> Quantity:
        if not self.state.positions:
            return NO_SHARES
        return Quantity(sum((p.quantity for p in self.positions_in(symbol)), ZERO))

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Money:
        """Return the profit closed on the day, including partial closes, plus the open profit at `last`, USD."""
        closed = self.state.closed_profit if self.state.closed_day == day else ZERO
        return Money(closed + sum((self.open_profit(p, last.get(p.symbol)) for p in self.positions()), ZERO))

    def open_profit(self, position: Position, price: Price | None) -> Money:
        """Return the profit of an open position at `price`, USD; zero without a price."""
        if price is None:
            return Money(ZERO)
        return position.profit(price)
