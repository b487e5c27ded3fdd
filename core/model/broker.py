"""Parsed messages of a broker, and what it can do beyond the properties of each instrument."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum

from core.model.account import Account, NoAccount
from core.model.bar import NoQuote, Quote
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderClass, OrderRequest, OrderStatus, OrderType, Side, StopHolder, TimeInForce
from core.model.staging import NoStop, StopPlan
from core.model.values import (
    NO_MONEY,
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Fraction,
    Money,
    Price,
    Quantity,
    Symbol,
    plain,
)


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill as the broker reports it.

    `quantity` is this execution's own, `at` the broker's time, `fee` its fee in USD, if reported.
    """

    id: ExecutionId
    at: datetime
    quantity: Quantity
    price: Price
    fee: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The broker's report of one order.

    Attributes
    ----------
    status
        None if the broker's value is unknown; `raw_status` always holds that value.
    side, type, time_in_force
        None if the broker's value is unknown.
    filled_quantity
        Cumulative.
    executions
        Those that the report lists; may be empty although `filled_quantity` is not.
    stop_price
        For a trailing stop, its current price.
    accepted_at
        When the broker accepted it, by its own clock; None if not reported.
    unknown_words
        Fields with an unknown value, each with that value as received.
    unread_terms
        Attributes whose value could not be read: what stands in them is no term of the order. An unread quantity is
        the filled one.
    legs
        The orders that the broker made with it. A stream's report never lists them; an answer and the broker's books
        may leave them out. Only a look-up `with_legs` proves that there are none.
    hides_legs
        The broker says that orders belong to it, and does not list them here.
    is_replaced, is_held
        By the broker's report, another order has replaced it; it waits for its entry to fill.
    """

    client_order_id: ClientOrderId
    broker_order_id: BrokerOrderId
    symbol: Symbol
    side: Side | None
    type: OrderType | None
    time_in_force: TimeInForce | None
    quantity: Quantity
    limit_price: Price | None
    stop_price: Price | None
    status: OrderStatus | None
    raw_status: str
    filled_quantity: Quantity
    average_price: Price | None
    executions: tuple[Execution, ...] = ()
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    legs: tuple[OrderReport, ...] = ()
    hides_legs: bool = False
    extended_hours: bool = False
    is_replaced: bool = False
    is_held: bool = False
    unknown_words: tuple[str, ...] = ()
    accepted_at: datetime | None = None
    unread_terms: tuple[str, ...] = ()

    @property
    def side_word(self) -> str:
        """As in `buy`; for an unknown side, the broker's value."""
        return self.side.value if self.side is not None else self._unknown("side")

    @property
    def type_word(self) -> str:
        """As in `limit`; for an unknown type, the broker's value."""
        return self.type.value if self.type is not None else self._unknown("type")

    @property
    def time_in_force_word(self) -> str:
        """As in `gtc`; for an unknown time in force, the broker's value."""
        return self.time_in_force.value if self.time_in_force is not None else self._unknown("time_in_force")

    def _unknown(self, name: str) -> str:
        return dict(word.split(" ", 1) for word in self.unknown_words)[name]


class UpdateEvent(Enum):
    """Event of a broker's update. Names follow Alpaca's trade updates."""

    NEW = "new"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    ACCEPTED = "accepted"
    PENDING_NEW = "pending_new"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    ORDER_CANCEL_REJECTED = "order_cancel_rejected"
    ORDER_REPLACE_REJECTED = "order_replace_rejected"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"
    HELD = "held"
    RESTATED = "restated"
    TRADE_BUST = "trade_bust"
    """An execution is cancelled by the venue: the order's filled quantity falls."""
    TRADE_CORRECT = "trade_correct"
    """An execution has another price or quantity."""
    OTHER = "other"
    """An unknown event; the report that comes with it is authoritative."""


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One message of the broker's order stream: the event, and the order after it."""

    event: UpdateEvent
    at: datetime
    report: OrderReport
    execution: Execution | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker accepted the request; for an order, with its report.

    `warnings` are the broker's warnings to the sender; they always need a confirmation (OP-11).
    """

    report: OrderReport
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker itself refused (EX-06).

    Attributes
    ----------
    kind
        The code that decisions read.
    message, code
        The broker's text, and its number if it gives one: for people and journals.
    wait_seconds
        How long the broker asks to wait; None if it does not say.
    """

    kind: RefusalKind
    message: str
    code: str = ""
    wait_seconds: float | None = None

    @property
    def said(self) -> str:
        """Format message and code in one line."""
        return f"{self.message} ({self.code})" if self.code else self.message


@dataclass(frozen=True, slots=True)
class NotFound:
    """The broker itself answered that it has no such order."""


@dataclass(frozen=True, slots=True)
class CancelTaken:
    """The broker accepted the cancel request; its stream or its books report the result."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable answer came; whether the request arrived is unknown.

    Attributes
    ----------
    limited_seconds
        The broker is reachable and accepts no requests for this long; None if it did not say that.
    is_other_account
        It answered for another account than the one of this folder, and that is withheld.
    """

    reason: str
    limited_seconds: float | None = None
    is_other_account: bool = False


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """A net position as the broker reports it; `quantity` is signed."""

    symbol: Symbol
    quantity: Quantity
    average_price: Price


@dataclass(frozen=True, slots=True)
class MarketHours:
    """What the broker's clock says of the market; the next open and close are after it."""

    is_open: bool
    next_open: datetime
    next_close: datetime


@dataclass(frozen=True, slots=True)
class BrokerClock:
    """The broker's own clock, UTC; `hours` is None if it says nothing of the market."""

    at: datetime
    hours: MarketHours | None = None


@dataclass(frozen=True, slots=True)
class FreshFigures:
    """Figures fetched for a confirmation: the broker's clock, the account and a quote, none from a cache (OP-03).

    A missing figure carries its reason.
    """

    broker_time: datetime | NoAnswer
    account: Account | NoAccount
    quote: Quote | NoQuote
    instrument: BrokerInstrument | NoInstrument


NO_ID = BrokerOrderId("")
"""Of an order whose own id cannot be read: nothing is requested for it by that."""


@dataclass(frozen=True, slots=True)
class UnreadableOrder:
    """A working order at the broker that cannot be read: the reason, and the fields that could be read.

    One without id, symbol and side also stands for orders that the broker does not list.

    Attributes
    ----------
    left
        Its unfilled quantity.
    closes
        It is marked as closing a position.
    is_over
        It is listed as ended; it has our form of id, so its fills may be ours.
    """

    reason: str
    broker_order_id: BrokerOrderId
    client_order_id: ClientOrderId | None
    symbol: Symbol | None
    side: Side | None = None
    type: OrderType | None = None
    left: Quantity | None = None
    closes: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class UnreadUpdate:
    """A message of the order stream that cannot be read: what is wrong where, and whose order it names, if any."""

    reason: str
    client_order_id: ClientOrderId | None = None
    broker_order_id: BrokerOrderId | None = None


@dataclass(frozen=True, slots=True)
class ForeignOrder:
    """A working order at the broker of a kind that this desk never sends: shown, and otherwise ignored.

    Attributes
    ----------
    symbol
        None if it has several legs.
    words
        A description: `BUY 25 USD SPY market day (by amount)`.
    may_open
        Whether it could open or add in any case; a kill then cancels it (OP-07).
    legs
        Ids of its parts, which the broker may list beside it.
    side, left
        Its side and unfilled quantity, if it has one of each.
    """

    broker_order_id: BrokerOrderId
    client_order_id: ClientOrderId
    symbol: Symbol | None
    words: str
    raw_status: str
    may_open: bool = True
    legs: tuple[BrokerOrderId, ...] = ()
    side: Side | None = None
    left: Quantity | None = None


@dataclass(frozen=True, slots=True)
class ForeignPosition:
    """A holding of a kind that this desk does not trade: shown, never counted in shares."""

    symbol: Symbol
    asset_class: str
    quantity: Quantity
    average_price: Price


@dataclass(frozen=True, slots=True)
class UnreadablePosition:
    """A position with an unreadable side or quantity; `symbol` is None if that is unreadable too.

    It is neither zero nor known: nothing is corrected by it.
    """

    symbol: Symbol | None
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerBooks:
    """The broker's state for a reconciliation (EX-09): positions, open orders, and orders closed in the last days.

    `foreign_orders` and `foreign_positions` are of kinds that this desk never trades; nothing is compared with them.
    """

    account: Account
    positions: tuple[BrokerPosition, ...]
    orders: tuple[OrderReport, ...]
    instruments: tuple[BrokerInstrument, ...] = ()
    unreadable: tuple[UnreadableOrder, ...] = ()
    foreign_orders: tuple[ForeignOrder, ...] = ()
    foreign_positions: tuple[ForeignPosition, ...] = ()
    unreadable_positions: tuple[UnreadablePosition, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declared by each broker; the gate refuses unsupported orders (EX-12).

    Attributes
    ----------
    fractions
        Whether fractional shares trade at all; each instrument tells whether its own do.
    extended_hours
        Whether an order may act before the open and after the close (RK-20).
    replaces
        Whether an order can be replaced in one request.
    closing_only_at
        Value of positions as a multiple of equity at which the broker makes the account close-only; None if it has no
        such limit.
    short_over_ask
        A short sale uses buying power at a price this far over the ask, unless its limit is higher.
    messages_a_minute
        Requests per minute that it accepts for an account; None if not stated.
    tells_activities
        Whether it lists fees, dividends, transfers and splits, to be compared with the journal each day (AN-06).
    refuses_wash_trades
        Whether it refuses an order that could meet another of the account, by Alpaca's table (RK-25).
    cancels_wait
        Whether a cancel that is sent while the market is closed may take effect only when it opens (EX-13).
    """

    order_types: frozenset[OrderType] = frozenset(OrderType)
    order_classes: frozenset[OrderClass] = frozenset(OrderClass)
    times_in_force: frozenset[TimeInForce] = frozenset(TimeInForce)
    fractions: bool = True
    extended_hours: bool = True
    replaces: bool = True
    closing_only_at: Decimal | None = None
    short_over_ask: Decimal = ZERO
    refuses_wash_trades: bool = False
    messages_a_minute: int | None = None
    tells_activities: bool = False
    cancels_wait: bool = False

    def lacking(self, order: OrderRequest) -> str | None:
        """Return the missing capability for this order as text; None if the broker accepts it."""
        if order.type not in self.order_types:
            return f"takes no {_word(order.type.value)} orders"
        if order.order_class not in self.order_classes:
            return f"takes no {order.order_class.value} orders"
        if order.time_in_force not in self.times_in_force:
            return f"takes no {order.time_in_force.value} orders"
        if not self.fractions and order.quantity != order.quantity.to_integral_value():
            return f"trades whole shares, and this is {plain(order.quantity)}"
        if order.extended_hours and not self.extended_hours:
            return "trades in the regular session alone"
        if order.replaces is not None and not self.replaces:
            return "replaces no order: cancel it, and type another"
        return None

    def lacking_to_guard(self, stop: StopPlan | NoStop) -> str | None:
        """Return the missing capability for a broker-held stop: without it the entry would be unprotected (OP-06)."""
        is_held_there = isinstance(stop, StopPlan) and stop.holder is StopHolder.BROKER
        return "holds no stop" if is_held_there and OrderType.STOP not in self.order_types else None


EVERYTHING = Capabilities()


def _word(name: str) -> str:
    return name.replace("_", "-")
