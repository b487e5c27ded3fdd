"""Build the orders and trades of a day from its records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core import facts
from core.model.order import OrderStatus
from core.model.order_text import order_in_words, purpose_in_words
from core.model.position import AnyTrade
from core.model.signal import EXIT_WORDS
from core.model.values import ZERO, ClientOrderId, Money, Quantity, plain, priced
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


def history_of(records: Iterable[Recorded]) -> tuple[HistoryRow, ...]:
    """Return a row for each order created in the records, and for each closed trade; by time."""
    orders: dict[ClientOrderId, _Told] = {}
    rows: list[HistoryRow] = []
    for recorded in records:
        match recorded.fact:
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
                rows.append(_trade(trade))
    rows += (_order(id, told) for id, told in orders.items())
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


def _trade(trade: AnyTrade) -> HistoryRow:
    held = str(trade.exit_time - trade.entry_time).partition(".")[0]
    prices = f"{plain(trade.quantity)} at {priced(trade.entry_price)} → {priced(trade.exit_price)}"
    text = f"{prices}, {EXIT_WORDS[trade.exit_reason][0]}, held {held}"
    return HistoryRow(
        HistoryKind.TRADE, trade.exit_order, trade.exit_time, trade.symbol, trade.strategy, text, trade.profit
    )
