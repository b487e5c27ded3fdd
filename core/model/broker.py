"""What a broker says, parsed: its account of an order, of an execution, of a position, and how it answers a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from core.model.account import Account, NoAccount
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderStatus, OrderType, Side, TimeInForce
from core.model.quote import NoQuote, Quote
from core.model.values import (
    NO_MONEY,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Fraction,
    Money,
    Price,
    Quantity,
    Symbol,
)


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill as the broker reports it. `quantity` is this execution's own, `at` the broker's time, `fee` what it took
    for it, USD, as far as it tells.
    """

    id: ExecutionId
    at: datetime
    quantity: Quantity
    price: Price
    fee: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The broker's own account of one order.

    Attributes
    ----------
    status
        None where the broker's word is unknown to us; `raw_status` always holds that word.
    side, type, time_in_force
        None where the broker's word is unknown to us.
    filled_quantity
        Cumulative.
    executions
        Those that the report lists; may be empty although `filled_quantity` is not.
    stop_price
        Of a trailing stop: where it stands now.
    accepted_at
        When the broker took it, by its own clock; None where it does not say.
    unknown_words
        Fields whose word is unknown here, each with the word as it came.
    legs
        The orders that the broker made with it. A stream's report names none, whether or not there are any; an answer
        and the broker's books may leave them out. That there are none is believed of a look-up alone, `with_legs`.
    hides_legs
        The broker says that orders belong to it, and does not name them here.
    is_replaced, is_held
        By the broker's word, another has taken its place; and, it waits for its entry to fill.
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

    @property
    def side_word(self) -> str:
        """`buy`; of a side that is unknown here, the broker's word."""
        return self.side.value if self.side is not None else self._unknown("side")

    @property
    def type_word(self) -> str:
        """`limit`; of a type that is unknown here, the broker's word."""
        return self.type.value if self.type is not None else self._unknown("type")

    @property
    def time_in_force_word(self) -> str:
        """`gtc`; of a time in force that is unknown here, the broker's word."""
        return self.time_in_force.value if self.time_in_force is not None else self._unknown("time_in_force")

    def _unknown(self, name: str) -> str:
        return dict(word.split(" ", 1) for word in self.unknown_words)[name]


class UpdateEvent(Enum):
    """What a broker's update tells. Names follow Alpaca's trade updates."""

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
    OTHER = "other"
    """A word that we do not know; the report that comes with it says what is true."""


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One message of the broker's order stream: what happened, and the order as it is after it."""

    event: UpdateEvent
    at: datetime
    report: OrderReport
    execution: Execution | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker took the request; for an order it says what it made of it.

    `warnings` are what it would have the sender know of it: never taken for granted (OP-11).
    """

    report: OrderReport
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker itself said no (EX-06).

    Attributes
    ----------
    kind
        What a decision reads of it.
    message, code
        In the broker's words, and its own number for it where it gives one: for people and journals.
    wait_seconds
        How long the broker asks to wait; None where it does not say.
    """

    kind: RefusalKind
    message: str
    code: str = ""
    wait_seconds: float | None = None

    @property
    def said(self) -> str:
        """In one line."""
        return f"{self.message} ({self.code})" if self.code else self.message


@dataclass(frozen=True, slots=True)
class NotFound:
    """The broker itself said that it has no such order."""


@dataclass(frozen=True, slots=True)
class CancelTaken:
    """The broker took the request to cancel; its stream or its books say what became of the order."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing that can be believed came back; whether the request arrived is not known.

    Attributes
    ----------
    limited_seconds
        The broker is there and takes no requests for so long; None where it did not say that.
    """

    reason: str
    limited_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """A net position as the broker reports it; `quantity` is signed."""

    symbol: Symbol
    quantity: Quantity
    average_price: Price


@dataclass(frozen=True, slots=True)
class FreshFigures:
    """What was fetched for a confirmation: the broker's clock, the account and a quote, none from a cache (OP-03).

    Each that did not come says why.
    """

    broker_time: datetime | NoAnswer
    account: Account | NoAccount
    quote: Quote | NoQuote
    instrument: BrokerInstrument | NoInstrument


@dataclass(frozen=True, slots=True)
class UnreadableOrder:
    """An order that works at the broker and cannot be read: what is wrong where, and what could be read of it.

    Attributes
    ----------
    left
        What is not filled of it.
    closes
        It says of itself that it closes what is held.
    is_over
        It is listed among those that have ended: one with our form of id, of which it matters what it filled.
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
class ForeignOrder:
    """An order that works at the broker and is of a kind that this desk never sends: shown, and in nobody's way.

    Attributes
    ----------
    symbol
        None where it has none of its own: several legs.
    words
        What it is: `BUY 25 USD SPY market day (by amount)`.
    may_open
        Whether it could open or add whatever is held; a kill takes it back then (OP-07).
    legs
        The orders that are parts of it, which the broker may list beside it.
    side, left
        Where it has one side and one quantity of its own: which, and what is not filled of it.
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
    """What the account holds of a kind that this desk does not trade: shown, never counted in shares."""

    symbol: Symbol
    asset_class: str
    quantity: Quantity
    average_price: Price


@dataclass(frozen=True, slots=True)
class UnreadablePosition:
    """A position of which nobody can tell how much is held on which side; `symbol` is None where not even that is told.

    It is neither nothing nor known: nothing is corrected by it.
    """

    symbol: Symbol | None
    reason: str


@dataclass(frozen=True, slots=True)
class BrokerPicture:
    """Everything a reconciliation compares (EX-09): positions, open orders, and orders closed in the last days.

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
