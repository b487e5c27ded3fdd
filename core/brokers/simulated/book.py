"""The exchange's own orders: what it was asked, what became of it, and the messages that tell so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.broker import Execution, OrderReport, OrderUpdate, UpdateEvent
from core.model.order import OrderRequest, OrderStatus, OrderType, Side
from core.model.values import ZERO, BrokerOrderId, ClientOrderId, ExecutionId, Price, Quantity, Symbol

KEPT = timedelta(days=7)
"""How long a closed order stays in the list of orders; a look-up by id finds it for ever."""

STATUS_OF: dict[UpdateEvent, tuple[OrderStatus, str]] = {
    UpdateEvent.NEW: (OrderStatus.SUBMITTED, "new"),
    UpdateEvent.PARTIAL_FILL: (OrderStatus.PARTIALLY_FILLED, "partially_filled"),
    UpdateEvent.FILL: (OrderStatus.FILLED, "filled"),
    UpdateEvent.CANCELED: (OrderStatus.CANCELLED, "canceled"),
    UpdateEvent.EXPIRED: (OrderStatus.EXPIRED, "expired"),
    UpdateEvent.REJECTED: (OrderStatus.REJECTED, "rejected"),
    UpdateEvent.REPLACED: (OrderStatus.CANCELLED, "replaced"),
}
"""What each event makes of an order, and Alpaca's word for it."""


@dataclass(slots=True, eq=False)
class BookedOrder:
    """An order that the exchange accepted.

    Attributes
    ----------
    opens
        It opens or adds and reserves buying power; else it closes and holds shares.
    reserve_price
        USD a share that it reserves while it works, fixed at acceptance.
    step
        It fills in multiples of this: whole orders in whole shares.
    expires_at
        The close of its session for DAY; None for an order that no close ends.
    is_elected
        A stop that was touched, and is a market order since.
    """

    request: OrderRequest
    broker_order_id: BrokerOrderId
    opens: bool
    reserve_price: Price
    step: Decimal
    expires_at: datetime | None
    is_elected: bool = False
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    executions: list[Execution] = field(default_factory=list)
    last_event: UpdateEvent = UpdateEvent.NEW
    closed_at: datetime | None = None

    @property
    def symbol(self) -> Symbol:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def remaining(self) -> Decimal:
        return self.request.quantity - self.filled

    @property
    def is_working(self) -> bool:
        return self.closed_at is None

    @property
    def takes_any_price(self) -> bool:
        return self.is_elected or self.request.type is OrderType.MARKET

    def is_touched(self, low: Price, high: Price) -> bool:
        """Whether a price between the two would fill its limit or elect its stop."""
        request = self.request
        level = request.limit_price if request.stop_price is None else request.stop_price
        if level is None:
            return True
        waits_below = (request.type is OrderType.STOP) == (request.side is Side.SELL)
        return low <= level if waits_below else high >= level

    def report(self) -> OrderReport:
        status, raw_status = STATUS_OF[self.last_event]
        request = self.request
        return OrderReport(
            client_order_id=request.client_order_id,
            broker_order_id=self.broker_order_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            quantity=request.quantity,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            status=status,
            raw_status=raw_status,
            filled_quantity=Quantity(self.filled),
            average_price=Price(self.paid / self.filled) if self.filled else None,
            executions=tuple(self.executions),
        )


class Book:
    """Every order ever accepted, those that work by symbol, and the outbox."""

    def __init__(self) -> None:
        self.working: dict[Symbol, list[BookedOrder]] = {}
        self._orders: dict[ClientOrderId, BookedOrder] = {}
        self._outbox: list[OrderUpdate] = []

    def find(self, client_order_id: ClientOrderId) -> BookedOrder | None:
        return self._orders.get(client_order_id)

    def next_broker_id(self) -> BrokerOrderId:
        return BrokerOrderId(f"sim-{len(self._orders) + 1:06d}")

    def accept(self, order: BookedOrder, at: datetime) -> None:
        self._orders[order.request.client_order_id] = order
        self.working.setdefault(order.symbol, []).append(order)
        self._tell(order, UpdateEvent.NEW, at)

    def fill(self, order: BookedOrder, quantity: Quantity, price: Price, at: datetime) -> None:
        """Record one execution and tell it; a full order leaves the working ones."""
        number = len(order.executions) + 1
        execution = Execution(ExecutionId(f"{order.broker_order_id}-{number}"), at, quantity, price)
        order.executions.append(execution)
        order.filled += quantity
        order.paid += quantity * price
        if order.remaining == ZERO:
            self._close(order, at)
        event = UpdateEvent.PARTIAL_FILL if order.is_working else UpdateEvent.FILL
        self._tell(order, event, at, execution)

    def end(self, order: BookedOrder, event: UpdateEvent, at: datetime) -> None:
        """Cancelled, expired or replaced: what is filled stays."""
        self._close(order, at)
        self._tell(order, event, at)

    def all_working(self) -> Iterator[BookedOrder]:
        for orders in self.working.values():
            yield from orders

    def held(self, symbol: Symbol, side: Side) -> Decimal:
        """Shares that working closing orders on this side hold: a stop holds its shares."""
        return sum((o.remaining for o in self._working_on(symbol, side) if not o.opens), ZERO)

    def is_opening(self, symbol: Symbol, side: Side) -> bool:
        return any(o.opens for o in self._working_on(symbol, side))

    def reserved(self) -> Decimal:
        """USD of buying power that working opening orders reserve."""
        return sum((o.remaining * o.reserve_price for o in self.all_working() if o.opens), ZERO)

    def reports(self, at: datetime) -> tuple[OrderReport, ...]:
        """Those that work and those closed within seven days, in order of acceptance."""
        since = at - KEPT
        return tuple(o.report() for o in self._orders.values() if o.closed_at is None or o.closed_at >= since)

    def take_updates(self) -> list[OrderUpdate]:
        updates, self._outbox = self._outbox, []
        return updates

    def _working_on(self, symbol: Symbol, side: Side) -> list[BookedOrder]:
        return [o for o in self.working.get(symbol, ()) if o.side is side]

    def _close(self, order: BookedOrder, at: datetime) -> None:
        order.closed_at = at
        orders = self.working[order.symbol]
        orders.remove(order)
        if not orders:
            del self.working[order.symbol]

    def _tell(self, order: BookedOrder, event: UpdateEvent, at: datetime, execution: Execution | None = None) -> None:
        order.last_event = event
        self._outbox.append(OrderUpdate(event, at, order.report(), execution))
