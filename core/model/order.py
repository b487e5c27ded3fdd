"""An order as it would be sent, and its states."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field, fields
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias

from core.model.instrument import Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, ClientOrderId, Digest, Fraction, Money, Price, Quantity, Symbol, plain


class Side(Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Effect(Enum):
    """Effect of an order on the position: the word on the ticket, which also selects the confirming key."""

    OPEN = "open"
    ADD = "add"
    REDUCE = "reduce"
    CLOSE = "close"
    SHORT = "short"
    COVER = "cover"

    def __init__(self, word: str) -> None:
        self.only_reduces = word in ("reduce", "close", "cover")


CONFIRMING_KEYS: Mapping[Effect, str] = {
    Effect.OPEN: "B",
    Effect.ADD: "B",
    Effect.SHORT: "H",
    Effect.REDUCE: "S",
    Effect.CLOSE: "S",
    Effect.COVER: "C",
}
"""The key that confirms an order depends on its effect (OP-04)."""

REPLACING_KEY = "R"
"""The key that confirms a replacement, whatever its effect."""


def confirming_key(effect: Effect, replaces: ClientOrderId | None) -> str:
    """Return the key that confirms an order with this effect, or a replacement (OP-04)."""
    return CONFIRMING_KEYS[effect] if replaces is None else REPLACING_KEY


class OrderType(Enum):
    """The type of an order (EX-12). Only this class defines each type's prices and behaviour.

    A stop-limit rests as a limit once its stop is touched; a trailing stop follows the best price. An order without a
    limit accepts any price. `waits` means that a price triggers it; if that price is adverse, `is_stop`, it protects
    the position that it closes. An order that does not wait `rests` at its limit or `goes_at_once`. An exit that
    `waits_unprotected` reserves its shares, and guards them at no price. `word` is its typed name.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"

    def __init__(self, name: str) -> None:
        self.has_limit: Final = name in ("limit", "stop_limit")
        self.has_stop: Final = name in ("stop", "stop_limit")
        self.trails: Final = name == "trailing_stop"
        self.waits: Final = self.has_stop or self.trails
        self.is_stop: Final = self.waits
        self.rests: Final = self.has_limit and not self.waits
        self.goes_at_once: Final = not self.has_limit and not self.waits
        self.waits_unprotected: Final = not self.is_stop and not self.goes_at_once
        self.word: Final = "trailing" if self.trails else name.replace("_", "-")

    def waits_above(self, side: Side) -> bool:
        """Whether its trigger is above the market; else below it."""
        return self.is_stop == (side is Side.BUY)


TYPED: Mapping[str, OrderType] = {one.word: one for one in OrderType}
WITH_LIMIT = " or ".join(one.word for one in OrderType if one.has_limit)
WITH_STOP = " or ".join(one.word for one in OrderType if one.has_stop)
"""The types with a stop price, as text: `stop or stop-limit`."""


class OrderClass(Enum):
    """The number of orders that one request makes at the broker (EX-12), by Alpaca's names.

    An OTO brings one leg, a bracket a stop and a target. In an OCO the order is the target itself, and brings its stop.
    """

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


class LegRole(Enum):
    """Purpose of a leg, by Alpaca's names."""

    STOP = "stop_loss"
    TARGET = "take_profit"


class Elsewhere(Enum):
    """Role of an order that only records fills: somebody else closed shares of ours at the broker (EX-18)."""

    CLOSED = "closed_elsewhere"


RECORDED_AS, PAID_OUT = "elsewhere:", "paid out "
"""How the ids of such a record begin; and the broker's order of one, where a merger paid for all shares (EX-25)."""


def is_payout(name: ClientOrderId) -> bool:
    """Whether a record counts shares that were paid out: no execution, and an activity tells of the cash (AN-06)."""
    return name.startswith(f"{RECORDED_AS}{PAID_OUT}")


AnyRole: TypeAlias = LegRole | Elsewhere
"""The role of an order that this desk did not send."""


class TimeInForce(Enum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"


class OrderStatus(Enum):
    """State of an order (EX-01). `core.execution.order` defines the transitions."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL

    @property
    def is_working(self) -> bool:
        return self not in _TERMINAL


_TERMINAL = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)
"""A tuple: comparing four members is faster than hashing one."""


class StopHolder(Enum):
    """Who acts when the stop is reached: the broker, this desk with an urgent proposal, or only the operator (YOU)."""

    BROKER = "broker"
    DESK = "desk"
    YOU = "you"


class StopKnown(Enum):
    """How well the price of a stop is known: a trailing one moves at the broker between its reports."""

    EXACT = "exact"
    PASSED = "passed"
    """It trails, and stands at this price or nearer to the market."""
    GUESSED = "guessed"
    """It trails, and the broker has named no price yet: computed from the last one seen."""


@dataclass(frozen=True, slots=True)
class Leg:
    """An order that the broker makes with another, on the other side, for the same quantity and time in force.

    A target has a limit price alone. A stop has a stop price, and a limit price if it is a stop-limit.
    """

    role: LegRole
    stop_price: Price | None = None
    limit_price: Price | None = None

    @property
    def type(self) -> OrderType:
        if self.role is LegRole.TARGET:
            return OrderType.LIMIT
        return OrderType.STOP if self.limit_price is None else OrderType.STOP_LIMIT

    def fields(self) -> tuple[str, ...]:
        return (self.role.value, _text(self.stop_price), _text(self.limit_price))


class SeveralLegsError(ValueError):
    """One instrument was requested, but the order trades several."""


@dataclass(frozen=True, slots=True)
class InstrumentLeg:
    """One of the instruments that an order trades: `ratio` units per unit of the order, sold below zero.

    Not a leg of a bracket (`Leg`): those are separate orders, which wait for this one's fill.
    """

    instrument: Instrument
    ratio: Quantity

    def fields(self) -> tuple[str, ...]:
        of = self.instrument
        return (of.symbol, of.asset_class.value, plain(of.multiplier), of.venue, plain(self.ratio))


Terms = tuple[OrderType, Price | None, Price | None, Price | None, Fraction | None]
"""Type, limit, stop, and trail in dollars or as a fraction: the order without its size."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """The order exactly as it would be sent, of one leg in shares. A price that the type does not have is None.

    An order in any other instrument, or in several at once, is an `InstrumentOrder`, which names its legs. Use
    `instrument_legs` and `moves`, usually with one element, or `instrument`.

    Attributes
    ----------
    replaces
        Our own working order that it replaces at the broker; None for a new order.
    trail_price, trail_fraction
        Distance of a trailing stop from the best price, USD or a fraction of it; one of them.
    legs
        Orders that the broker makes with it in the same request, the stop first; none if it is simple.
    extended_hours
        It also acts before the open and after the close (RK-20); a simple limit order for the day alone.
    """

    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    effect: Effect
    quantity: Quantity
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Price | None = None
    stop_price: Price | None = None
    replaces: ClientOrderId | None = None
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    legs: tuple[Leg, ...] = ()
    extended_hours: bool = False

    @property
    def instrument_legs(self) -> tuple[InstrumentLeg, ...]:
        """Return the instruments of one unit, each with its signed ratio."""
        return (InstrumentLeg(share(self.symbol), ONE_OF[self.side]),)

    @property
    def is_of_one_leg(self) -> bool:
        """Whether it trades one instrument, by its symbol and side; other orders are not supported further yet."""
        return True

    @property
    def instrument(self) -> Instrument:
        """Return its instrument. Raises SeveralLegsError if it has several."""
        return share(self.symbol)

    def moves(self, quantity: Quantity) -> tuple[tuple[Instrument, Quantity], ...]:
        """Return the instruments traded for a quantity, each with its signed quantity: bought above zero, sold
        below.
        """
        return tuple((leg.instrument, Quantity(leg.ratio * quantity)) for leg in self.instrument_legs)

    def cost(self, price: Decimal) -> Money:
        """Return its cost at a price, USD."""
        return share(self.symbol).cost(self.quantity, price)

    def risk(self, way: Decimal) -> Money:
        """Return its loss when the price moves this far against it, USD."""
        return share(self.symbol).risk(self.quantity, way)

    def stop_behind(self, best: Price) -> Price:
        """Return a trailing stop's price when `best` is the best price that it has seen."""
        behind = best * (self.trail_fraction or ZERO) if self.trail_price is None else self.trail_price
        moved = best - behind if self.side is Side.SELL else best + behind
        ticks = self.instrument.ticks
        return max(ticks.nearest(moved), Price(ticks.at(moved)))

    @property
    def confirming_key(self) -> str:
        return confirming_key(self.effect, self.replaces)

    @property
    def terms(self) -> Terms:
        return self.type, self.limit_price, self.stop_price, self.trail_price, self.trail_fraction

    def leg(self, role: LegRole) -> Leg | None:
        return next((leg for leg in self.legs if leg.role is role), None)

    def digest(self, account: str) -> Digest:
        """SHA-256 over the account and every field that reaches the broker (OP-02)."""
        return digest_of(account, *self.fields())

    def fields(self) -> tuple[str, ...]:
        """Return the fields as text, in a fixed order."""
        return (
            self.client_order_id,
            self.symbol,
            self.side.value,
            self.effect.value,
            plain(self.quantity),
            self.type.value,
            self.time_in_force.value,
            _text(self.limit_price),
            _text(self.stop_price),
            *(() if self.replaces is None else (self.replaces,)),
            *self._trail_fields(),
            *(() if self.order_class is OrderClass.SIMPLE else (self.order_class.value,)),
            *(text for leg in self.legs for text in leg.fields()),
            *(("extended_hours",) if self.extended_hours else ()),
        )

    def _trail_fields(self) -> tuple[str, ...]:
        if self.trail_price is None and self.trail_fraction is None:
            return ()
        return ("trail", _text(self.trail_price), _text(self.trail_fraction))


@dataclass(frozen=True, slots=True)
class InstrumentOrder(OrderRequest):
    """An order that names its instruments: one that is not a share, or several legs that fill together.

    With one leg, `symbol`, `side` and `quantity` are that leg's. With several, `symbol` is the name of the combination,
    `quantity` counts combinations, `side` tells whether they are bought or sold, each leg's ratio is for that side, and
    prices are those of a combination. A separate class, so that an order for shares keeps its format and digest.
    """

    instrument_legs: tuple[InstrumentLeg, ...] = field(kw_only=True)

    @property
    def is_of_one_leg(self) -> bool:
        said = [(leg.instrument.symbol, leg.ratio) for leg in self.instrument_legs]
        return said == [(self.symbol, ONE_OF[self.side])]

    @property
    def instrument(self) -> Instrument:
        if len(self.instrument_legs) != 1:
            raise SeveralLegsError(f"order {self.client_order_id} trades {len(self.instrument_legs)} instruments")
        return self.instrument_legs[0].instrument

    def cost(self, price: Decimal) -> Money:
        return self.instrument.cost(self.quantity, price)

    def risk(self, way: Decimal) -> Money:
        return self.instrument.risk(self.quantity, way)

    def fields(self) -> tuple[str, ...]:
        named = (text for leg in self.instrument_legs for text in leg.fields())
        return (*OrderRequest.fields(self), "instruments", *named)


AnyOrder: TypeAlias = OrderRequest | InstrumentOrder
"""Any order, in records: a reader recognises each."""

ONE_OF: Mapping[Side, Quantity] = {Side.BUY: Quantity(Decimal(1)), Side.SELL: Quantity(Decimal(-1))}
"""The ratio of an order's one leg."""


def refused_for_its_legs(order: OrderRequest) -> str:
    """Explain why an order with other than one leg is refused: it can be recorded and confirmed, but is not reviewed,
    sent or booked yet.
    """
    count = len(order.instrument_legs)
    if count == 1:
        return "its leg is in another instrument, or on another side, than the order says; stage it again"
    return f"it has {count} legs, and this desk sends orders of one: type each as its own"


def traded_in(instrument: Instrument, order: OrderRequest) -> OrderRequest:
    """Return the same order with the instrument of its symbol; a share is named by the symbol alone."""
    if instrument.is_share:
        return order
    leg = InstrumentLeg(instrument.terms, ONE_OF[order.side])
    return InstrumentOrder(*(getattr(order, one.name) for one in fields(OrderRequest)), instrument_legs=(leg,))


def _text(number: Price | Fraction | None) -> str:
    return "-" if number is None else plain(number)


def digest_of(*fields: str) -> Digest:
    """SHA-256 of the fields, in order, as 64 hex digits; a unit separator keeps neighbours apart."""
    return Digest(hashlib.sha256("\x1f".join(fields).encode()).hexdigest())


ORDER_ID = re.compile(r"[0-9a-f]{16}")
"""The form of the ids that Keyturn gives its orders (EX-04)."""


def order_id_of(*parts: str) -> ClientOrderId:
    """First 16 hex digits of SHA-256 over `a:b:c…` (EX-04): the same signal always has the same order."""
    return ClientOrderId(hashlib.sha256(":".join(parts).encode()).hexdigest()[:16])
