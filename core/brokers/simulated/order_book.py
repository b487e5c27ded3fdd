"""The exchange's own orders, and the legs that it makes.

An order that no list has any more is found by its id for ever. The closed orders of a day are kept as compressed bytes:
a tenth of a kilobyte an order, where the objects take two.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterator
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from core.model.broker import Execution, OrderReport, OrderUpdate, UpdateEvent
from core.model.instrument import Instrument
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, Leg, OrderClass, OrderRequest, OrderStatus, Side
from core.model.reconciliation import BrokerFill
from core.model.values import ZERO, BrokerOrderId, ClientOrderId, ExecutionId, Money, Price, Quantity, Symbol

KEPT = timedelta(days=7)
"""Time for which a closed order stays in the list of orders; a look-up by id always finds it."""
PACKED_AFTER = timedelta(days=1)
"""Time after which a closed order is kept packed, from the next midnight (UTC) on; its report stays in the list."""
LONG_AGO, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

STATUS_OF: dict[UpdateEvent, tuple[OrderStatus, str]] = {
    UpdateEvent.NEW: (OrderStatus.SUBMITTED, "new"),
    UpdateEvent.PARTIAL_FILL: (OrderStatus.PARTIALLY_FILLED, "partially_filled"),
    UpdateEvent.FILL: (OrderStatus.FILLED, "filled"),
    UpdateEvent.CANCELED: (OrderStatus.CANCELLED, "canceled"),
    UpdateEvent.EXPIRED: (OrderStatus.EXPIRED, "expired"),
    UpdateEvent.REJECTED: (OrderStatus.REJECTED, "rejected"),
    UpdateEvent.REPLACED: (OrderStatus.CANCELLED, "replaced"),
    UpdateEvent.PENDING_CANCEL: (OrderStatus.SUBMITTED, "pending_cancel"),
}
"""The state of an order after each event, with Alpaca's status."""

_time_of = attrgetter("execution.at")
HELD = "held"
"""Alpaca's status of a leg that waits for its parent's fill."""


@dataclass(slots=True, eq=False)
class BookedOrder:
    """An order that the exchange accepted.

    Attributes
    ----------
    opens
        It opens or adds and reserves buying power; else it closes and reserves shares.
    reserve_price
        USD a share that it reserves while it works, fixed at acceptance.
    step
        It fills in multiples of this: whole orders in whole shares.
    expires_at
        The close of its session for DAY, or the end of the day's extended hours if it acts in them; None for an order
        that no close ends.
    is_elected
        A stop that was touched, and is a market order since; one with a limit rests at that limit.
    elected_in
        Start of the bar whose path elected a stop with a limit: `SameBar` limits its fills in that bar.
    best
        The best price since a trailing stop arrived, from which it keeps its distance; None before the first.
    seen
        The best price of the current bar, which a trailing stop follows at the bar's close.
    parent, legs
        The order that it was made with, and those that were made with it.
    is_held
        A leg that waits for its parent's fill: it meets no price and reserves no shares.
    is_hit
        Its limit was reached, and the market had not enough for all of it: the rest is due at that limit.
    walk
        For the bar that began at that time, whether it meets the low first, whatever happens later; None if undecided.
    leaves_at
        When its pending cancel takes effect; None without one.
    """

    request: OrderRequest
    broker_order_id: BrokerOrderId
    opens: bool
    reserve_price: Price
    step: Decimal
    expires_at: datetime | None
    instrument: Instrument
    accepted_at: datetime
    is_elected: bool = False
    elected_in: datetime | None = None
    best: Price | None = None
    seen: Price | None = None
    parent: BookedOrder | None = None
    legs: list[BookedOrder] = field(default_factory=list)
    is_held: bool = False
    is_hit: bool = False
    walk: tuple[datetime, bool] | None = None
    leaves_at: datetime | None = None
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
    def to_reserve(self) -> Decimal:
        """USD of buying power that it reserves if it opens."""
        return self.instrument.cost(self.remaining, self.reserve_price)

    @property
    def is_working(self) -> bool:
        return self.closed_at is None

    @property
    def takes_any_price(self) -> bool:
        kind = self.request.type
        return kind.goes_at_once or (self.is_elected and not kind.has_limit)

    @property
    def rests_at_its_limit(self) -> bool:
        kind = self.request.type
        return kind.rests or (self.is_elected and kind.has_limit)

    @property
    def low_hurts(self) -> bool:
        """Whether the low is the worse extreme to come first: for a sale that closes, a buy at a limit or the market.

        For a buy by a stop the high is worse: it elects the order while the low is still to come. Short orders are
        mirrored.
        """
        enters_by_a_stop = self.request.type.is_stop and not self.is_elected
        return (self.side is Side.BUY) == (self.opens and not enters_by_a_stop)

    @property
    def stop_price(self) -> Price | None:
        """The stop's current price; None for an order without one, or before it has seen a price."""
        return self.request.stop_price if self.best is None else self.request.stop_behind(self.best)

    @property
    def oco_siblings(self) -> list[BookedOrder]:
        """Orders that work with it for the same shares: if one fills or ends, the others follow."""
        root = self.parent or self
        pair = [root, *root.legs] if root.request.order_class is OrderClass.OCO else root.legs
        return [o for o in pair if o is not self and o.is_working] if self in pair else []

    def follow(self, price: Price) -> None:
        """Let a trailing stop see a price: it moves with the best one and never back."""
        self.best = self._better(self.best, price)

    def see(self, price: Price) -> None:
        """Let a trailing stop remember a price for the end of its bar."""
        self.seen = self._better(self.seen, price)

    def _better(self, one: Price | None, other: Price) -> Price:
        better = max if self.side is Side.SELL else min
        return other if one is None else better(one, other)

    def is_touched(self, low: Price, high: Price) -> bool:
        """Return whether a price in the range would fill its limit, elect its stop, or move it."""
        request = self.request
        if request.type.trails:
            return True
        rests = self.rests_at_its_limit
        level = request.limit_price if rests else request.stop_price
        if level is None:
            return True
        is_above = request.side is Side.SELL if rests else request.type.waits_above(request.side)
        return high >= level if is_above else low <= level

    def whole_report(self) -> OrderReport:
        """Return the report with its legs, for answers and look-ups; the stream's reports have none."""
        report = self.report()
        return replace(report, legs=tuple(leg.report() for leg in self.legs)) if self.legs else report

    def report(self) -> OrderReport:
        is_leaving = self.is_working and self.leaves_at is not None
        status, raw_status = STATUS_OF[UpdateEvent.PENDING_CANCEL if is_leaving else self.last_event]
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
            stop_price=self.stop_price,
            status=status,
            raw_status=HELD if self.is_held and self.is_working else raw_status,
            is_replaced=self.last_event is UpdateEvent.REPLACED,
            is_held=self.is_held and self.is_working,
            filled_quantity=Quantity(self.filled),
            average_price=self.instrument.price_of(self.filled, self.paid) if self.filled else None,
            executions=tuple(self.executions),
            trail_price=request.trail_price,
            trail_fraction=request.trail_fraction,
            extended_hours=request.extended_hours,
            accepted_at=self.accepted_at,
        )


class PackedOrders(NamedTuple):
    """Closed orders, about those of a day, and when the last of them closed."""

    content: bytes
    closed_at: datetime

    def orders(self) -> list[BookedOrder]:
        """Return copies of them."""
        orders: list[BookedOrder] = pickle.loads(zlib.decompress(self.content))
        return orders


class Book:
    """Every accepted order, the listed ones, the working ones by symbol, and the outbox."""

    def __init__(self, fee_per_share: Decimal = ZERO) -> None:
        self._fee_per_share = fee_per_share
        self.working: dict[Symbol, list[BookedOrder]] = {}
        self._orders: dict[ClientOrderId, BookedOrder] = {}
        self._past: dict[ClientOrderId, PackedOrders] = {}
        self._listed: dict[ClientOrderId, BookedOrder] = {}
        self._reserves: dict[ClientOrderId, Decimal] = {}
        self._outbox: list[OrderUpdate] = []
        self._told: dict[ClientOrderId, OrderReport] = {}
        self._packed: dict[ClientOrderId, datetime] = {}
        """When the listed orders that are packed were closed."""
        self._packs_at = NEVER
        self._changed: dict[ClientOrderId, None] = {}
        self._reports: tuple[OrderReport, ...] = ()
        self._reports_until = NEVER

    def find(self, client_order_id: ClientOrderId) -> BookedOrder | None:
        if client_order_id in self._past:
            for order in self._past[client_order_id].orders():
                name = _name_of(order)
                self._orders[name] = order
                del self._past[name]
                if self._packed.pop(name, None) is not None:
                    self._listed[name] = order
                self._packs_at = LONG_AGO
        return self._orders.get(client_order_id)

    def every(self) -> Iterator[BookedOrder]:
        """Yield every order, copies of those that no list has any more first."""
        return self._closed_from(LONG_AGO)

    def _closed_from(self, since: datetime) -> Iterator[BookedOrder]:
        for packed in dict.fromkeys(self._past.values()):
            if packed.closed_at >= since:
                yield from packed.orders()
        yield from self._orders.values()

    def kept_whole(self) -> int:
        """Return the number of orders that are kept as objects."""
        return len(self._orders)

    def fills(self, since: datetime) -> tuple[BrokerFill, ...]:
        """Return every execution from a time on, in order of time."""
        fills = (
            BrokerFill(execution, order.broker_order_id, order.symbol, order.side)
            for order in self._closed_from(since)
            for execution in order.executions
            if execution.at >= since
        )
        return tuple(sorted(fills, key=_time_of))

    def next_broker_id(self) -> BrokerOrderId:
        return BrokerOrderId(f"sim-{len(self._past) + len(self._orders) + 1:06d}")

    def accept(self, order: BookedOrder, at: datetime) -> None:
        self._orders[order.request.client_order_id] = order
        self._list(order)
        self._work(order, at)

    def hold(self, leg: BookedOrder) -> None:
        """Hold a leg until its parent is filled."""
        self._orders[leg.request.client_order_id] = leg
        leg.is_held = True
        self._list(leg)

    def release(self, leg: BookedOrder, at: datetime) -> None:
        """Let a leg work from here on."""
        leg.is_held = False
        self._work(leg, at)

    def fill(self, order: BookedOrder, quantity: Quantity, price: Price, at: datetime) -> None:
        """Record and report one execution; a filled order stops working."""
        number = len(order.executions) + 1
        fee = Money(self._fee_per_share * quantity)
        execution = Execution(ExecutionId(f"{order.broker_order_id}-{number}"), at, quantity, price, fee)
        order.executions.append(execution)
        order.filled += quantity
        order.paid += order.instrument.cost(quantity, price)
        if order.remaining == ZERO:
            self._close(order, at)
        event = UpdateEvent.PARTIAL_FILL if order.is_working else UpdateEvent.FILL
        self._tell(order, event, at, execution)
        for sibling in order.oco_siblings:
            if not order.is_working:
                self.end(sibling, UpdateEvent.CANCELED, at)
            else:
                self._shrink(sibling, quantity, at)

    def end(self, order: BookedOrder, event: UpdateEvent, at: datetime) -> None:
        """Cancel, expire or replace an order: its fills stay. Orders that were made with it end too."""
        kin = [order.parent or order, *(order.parent or order).legs]
        self._close(order, at)
        self._tell(order, event, at)
        if event is UpdateEvent.REPLACED and order.parent is not None:
            return
        for other in kin:
            if other.is_working:
                expires = event is UpdateEvent.EXPIRED and other.expires_at is not None and other.expires_at <= at
                self._close(other, at)
                self._tell(other, UpdateEvent.EXPIRED if expires else UpdateEvent.CANCELED, at)

    def begin_cancel(self, order: BookedOrder, leaves_at: datetime, at: datetime) -> None:
        """Let a cancel stay pending until a time: until then the order works on."""
        order.leaves_at = leaves_at
        self._tell(order, UpdateEvent.PENDING_CANCEL, at)

    def follow(self, order: BookedOrder, price: Price) -> None:
        """Let a trailing stop see a price."""
        order.follow(price)
        self._has_changed(order)

    def _shrink(self, sibling: BookedOrder, by: Quantity, at: datetime) -> None:
        """Reduce an order whose sibling filled in part."""
        sibling.request = replace(sibling.request, quantity=Quantity(sibling.request.quantity - by))
        self._has_changed(sibling)
        if sibling.remaining <= ZERO:
            self.end(sibling, UpdateEvent.CANCELED, at)

    def all_working(self) -> Iterator[BookedOrder]:
        for orders in self.working.values():
            yield from orders

    def held(self, symbol: Symbol, side: Side) -> Decimal:
        """Return shares reserved by working closing orders on this side: a stop reserves its shares, siblings theirs
        once.
        """
        closing = [o for o in self._working_on(symbol, side) if not o.opens]
        alone = (
            o for number, o in enumerate(closing) if not any(other in o.oco_siblings for other in closing[:number])
        )
        return sum((o.remaining for o in alone), ZERO)

    def is_opening(self, symbol: Symbol, side: Side) -> bool:
        return any(o.opens for o in self._working_on(symbol, side))

    def reserved(self) -> Decimal:
        """Return USD of buying power that working opening orders reserve."""
        return sum(self._reserves.values(), ZERO)

    def reports(self, at: datetime) -> tuple[OrderReport, ...]:
        """Return working orders and those closed within seven days, in order of acceptance.

        Returns the same tuple as before if nothing has changed, so that a query each minute costs next to nothing.
        """
        is_past = at > self._reports_until
        if is_past:
            self._leave_out(at - KEPT)
        if self._changed or is_past:
            self._told.update((name, self._listed[name].whole_report()) for name in self._changed)
            self._changed = {}
            self._reports = tuple(self._told.values())
        if at >= self._packs_at:
            self._pack(at)
        return self._reports

    def _leave_out(self, since: datetime) -> None:
        """Remove orders that closed before from the list."""
        for name in [name for name, closed_at in self._closings() if closed_at < since]:
            del self._told[name]
            self._listed.pop(name, None)
            self._packed.pop(name, None)
            self._changed.pop(name, None)
        self._reports_until = min((closed_at + KEPT for _, closed_at in self._closings()), default=NEVER)

    def _closings(self) -> Iterator[tuple[ClientOrderId, datetime]]:
        """Yield the listed orders that are closed, and when each was."""
        yield from self._packed.items()
        yield from ((name, order.closed_at) for name, order in self._listed.items() if order.closed_at is not None)

    def _pack(self, at: datetime) -> None:
        """Pack the orders that closed long enough ago, each with those that it was made with once all have."""
        families: dict[ClientOrderId, list[BookedOrder]] = {}
        for order in self._orders.values():
            families.setdefault(_name_of(order.parent or order), []).append(order)
        due = {name: _packed_from(family) for name, family in families.items()}
        self._packs_at = min((when for when in due.values() if when > at), default=NEVER)
        orders = [order for name, family in families.items() if due[name] <= at for order in family]
        if not orders:
            return
        closings = {_name_of(order): order.closed_at or NEVER for order in orders}
        packed = PackedOrders(zlib.compress(pickle.dumps(orders)), max(closings.values()))
        for name, closed_at in closings.items():
            self._past[name] = packed
            del self._orders[name]
            if self._listed.pop(name, None) is not None:
                self._packed[name] = closed_at

    def _list(self, order: BookedOrder) -> None:
        self._listed[order.request.client_order_id] = order
        self._told[order.request.client_order_id] = order.whole_report()
        self._has_changed(order)

    def _has_changed(self, order: BookedOrder) -> None:
        """Mark an order and its parent for a new report, and count what it reserves; all others keep theirs."""
        if order.opens and order.is_working:
            self._reserves[order.request.client_order_id] = order.to_reserve
        else:
            self._reserves.pop(order.request.client_order_id, None)
        for one in (order, order.parent):
            if one is not None and one.request.client_order_id in self._listed:
                self._changed[one.request.client_order_id] = None

    def take_updates(self) -> list[OrderUpdate]:
        updates, self._outbox = self._outbox, []
        return updates

    def _working_on(self, symbol: Symbol, side: Side) -> list[BookedOrder]:
        return [o for o in self.working.get(symbol, ()) if o.side is side]

    def _work(self, order: BookedOrder, at: datetime) -> None:
        self.working.setdefault(order.symbol, []).append(order)
        self._tell(order, UpdateEvent.NEW, at)

    def _close(self, order: BookedOrder, at: datetime) -> None:
        order.closed_at = at
        self._reports_until = min(self._reports_until, at + KEPT)
        self._packs_at = min(self._packs_at, _packed_from([order]))
        if order.is_held:
            return
        orders = self.working[order.symbol]
        orders.remove(order)
        if not orders:
            del self.working[order.symbol]

    def _tell(self, order: BookedOrder, event: UpdateEvent, at: datetime, execution: Execution | None = None) -> None:
        order.last_event = event
        self._has_changed(order)
        self._outbox.append(OrderUpdate(event, at, order.report(), execution))


def _packed_from(family: list[BookedOrder]) -> datetime:
    closed_at = max(order.closed_at or NEVER for order in family)
    if closed_at == NEVER:
        return NEVER
    return (closed_at + PACKED_AFTER + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _name_of(order: BookedOrder) -> ClientOrderId:
    return order.request.client_order_id


def legs_of(order: BookedOrder, next_id: Callable[[], BrokerOrderId]) -> Iterator[BookedOrder]:
    """Yield one leg at a time, each to be booked before the next.

    As at Alpaca, legs without an order class are ignored.
    """
    if order.request.order_class is OrderClass.SIMPLE:
        return
    for leg in order.request.legs:
        broker_order_id = next_id()
        booked = BookedOrder(
            request=_request(order.request, leg, ClientOrderId(f"leg-{broker_order_id}")),
            broker_order_id=broker_order_id,
            opens=False,
            reserve_price=order.reserve_price,
            step=Decimal(1),
            expires_at=order.expires_at,
            instrument=order.instrument,
            accepted_at=order.accepted_at,
            parent=order,
        )
        order.legs.append(booked)
        yield booked


def _request(parent: OrderRequest, leg: Leg, client_order_id: ClientOrderId) -> OrderRequest:
    side = parent.side if parent.order_class is OrderClass.OCO else parent.side.opposite
    return OrderRequest(
        client_order_id=client_order_id,
        symbol=parent.symbol,
        side=side,
        effect=Effect.CLOSE if side is Side.SELL else Effect.COVER,
        quantity=parent.quantity,
        type=leg.type,
        time_in_force=parent.time_in_force,
        limit_price=leg.limit_price,
        stop_price=leg.stop_price,
    )
