"""Build the orders and trades of a day from its records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core import facts
from core.model.instrument import share
from core.model.order import OrderStatus
from core.model.order_text import order_in_words, purpose_in_words
from core.model.position import AnyTrade, Fill
from core.model.signal import EXIT_WORDS
from core.model.values import ZERO, ClientOrderId, Money, Quantity, Symbol, plain, priced
from core.ports import Recorded
from core.views.history import HistoryKind, HistoryRow

AVERAGE = Decimal("0.0001")
"""Maximum decimal places of an average price."""


@dataclass(slots=True)
class _Told:
    """The state of an order by the day's records so far."""

    made: facts.OrderCreated
    at: datetime
    filled: Quantity = field(default_factory=lambda: Quantity(ZERO))
    cost: Money = field(default_factory=lambda: Money(ZERO))
    status: OrderStatus = OrderStatus.PENDING
    reason: str = ""


@dataclass(slots=True)
class _Exit:
    """The fills of one exit so far; `gained` is their profit less fees, USD."""

    at: datetime
    symbol: Symbol
    strategy: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO
    gained: Decimal = ZERO


@dataclass(slots=True)
class _Exits:
    """Exits by order, from the positions before and after each fill (AN-01)."""

    told: dict[ClientOrderId, _Exit] = field(default_factory=dict)
    _held: dict[tuple[Symbol, str], facts.PositionChanged] = field(default_factory=dict)
    fill: Fill | None = None

    def filled(self, fill: Fill) -> None:
        self.fill = fill

    def changed(self, after: facts.PositionChanged, order: facts.OrderCreated | None) -> None:
        key, fill = (after.symbol, after.strategy), self.fill
        before, self._held[key], self.fill = self._held.get(key), after, None
        if fill is None:
            return
        is_less = before is not None and abs(after.quantity) < abs(before.quantity)
        if not after.quantity or is_less or (before is None and order is not None and order.order.effect.only_reduces):
            known = after if before is None else before
            found = self.told.setdefault(fill.client_order_id, _Exit(fill.at, *key))
            instrument = share(after.symbol) if order is None else order.order.instrument
            found.at, found.quantity, found.fees = fill.at, found.quantity + fill.quantity, found.fees + fill.fee
            found.cost += instrument.cost(fill.quantity, fill.price)
            if known.average_price is not None:
                sign = 1 if known.quantity > ZERO else -1
                found.gained += sign * instrument.notional(fill.quantity, fill.price - known.average_price) - fill.fee

    def of_trade(self, trade: AnyTrade, began: datetime | None) -> Money:
        """Return its realized profit in these records, without its partial exits."""
        last = self.told.pop(trade.exit_order, None)
        parts = [each for each in self.told.values() if (each.symbol, each.strategy) == (trade.symbol, trade.strategy)]
        own = [each for each in parts if each.at >= trade.entry_time]
        if last is None or began is None or trade.entry_time >= began:
            return Money(trade.profit - sum((each.gained for each in own), ZERO))
        as_long = trade.instrument.notional(trade.quantity, trade.exit_price - trade.entry_price)
        made = trade.profit + trade.fees
        sign = 1 if abs(as_long - made) <= abs(-as_long - made) else -1
        return Money(sign * (last.cost - trade.instrument.cost(last.quantity, trade.entry_price)) - last.fees)


def history_of(records: Iterable[Recorded]) -> tuple[HistoryRow, ...]:
    """Return a row for each order created in the records, each closed trade and each partial exit; by time."""
    orders: dict[ClientOrderId, _Told] = {}
    rows: list[HistoryRow] = []
    exits = _Exits()
    began: datetime | None = None
    for recorded in records:
        began = began or recorded.at
        if isinstance(recorded.fact, facts.OrderFilled):
            exits.filled(recorded.fact.fill)
        match recorded.fact:
            case facts.PositionChanged() as changed:
                filled = None if exits.fill is None else orders.get(exits.fill.client_order_id)
                exits.changed(changed, None if filled is None else filled.made)
            case facts.OrderCreated() as made:
                orders[made.order.client_order_id] = _Told(made, recorded.at)
            case facts.OrderFilled(fill=fill) if fill.client_order_id in orders:
                told = orders[fill.client_order_id]
                told.filled = Quantity(told.filled + fill.quantity)
                worth = told.made.order.instrument.notional(fill.quantity, fill.price)
                told.cost = Money(told.cost + worth)
            case facts.OrderStateChanged(client_order_id=id) as changed if id in orders:
                orders[id].status, orders[id].reason = changed.after, changed.reason
            case facts.TradeClosed(trade=trade):
                rows.append(_trade(trade, exits.of_trade(trade, began)))
    rows += (_order(id, told) for id, told in orders.items())
    rows += (_part(id, told) for id, told in exits.told.items())
    return tuple(sorted(rows, key=lambda row: row.at))


def _order(id: ClientOrderId, told: _Told) -> HistoryRow:
    order = told.made.order
    part = ""
    if told.filled:
        average = order.instrument.price_of(told.filled, told.cost).quantize(AVERAGE)
        part = f" {plain(told.filled)} at {priced(average)}"
    why = f": {told.reason}" if told.reason and not told.status.is_working and not told.filled else ""
    text = f"{order_in_words(order)} {purpose_in_words(order)}, {told.status.value}{part}{why}"
    return HistoryRow(HistoryKind.ORDER, id, told.at, order.symbol, told.made.strategy, text)


def _part(id: ClientOrderId, told: _Exit) -> HistoryRow:
    price = share(told.symbol).price_of(told.quantity, Money(told.cost))
    text = f"{plain(told.quantity)} closed at {priced(price)}, a part of the position"
    made = Money(told.gained)
    return HistoryRow(HistoryKind.PART, id, told.at, told.symbol, told.strategy, text, made, made)


def _trade(trade: AnyTrade, realised: Money) -> HistoryRow:
    held = str(trade.exit_time - trade.entry_time).partition(".")[0]
    prices = f"{plain(trade.quantity)} at {priced(trade.entry_price)} → {priced(trade.exit_price)}"
    text = f"{prices}, {EXIT_WORDS[trade.exit_reason][0]}, held {held}"
    return HistoryRow(
        HistoryKind.TRADE, trade.exit_order, trade.exit_time, trade.symbol, trade.strategy, text, trade.profit, realised
    )
