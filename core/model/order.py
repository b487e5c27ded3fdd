"""An order as we would send it, and the words for what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from core.model.values import ClientOrderId, Digest, Price, Quantity, Symbol, plain


class Side(Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Effect(Enum):
    """What an order does to the position: the word on the ticket, and the key that confirms it."""

    OPEN = "open"
    ADD = "add"
    REDUCE = "reduce"
    CLOSE = "close"
    SHORT = "short"
    COVER = "cover"

    @property
    def only_reduces(self) -> bool:
        return self in (Effect.REDUCE, Effect.CLOSE, Effect.COVER)


CONFIRMING_KEYS: Mapping[Effect, str] = {
    Effect.OPEN: "B",
    Effect.ADD: "B",
    Effect.SHORT: "H",
    Effect.REDUCE: "S",
    Effect.CLOSE: "S",
    Effect.COVER: "C",
}
"""The one key that confirms an order names its effect (OP-04)."""

REPLACING_KEY = "R"
"""The one key that confirms an order which takes the place of another, whatever its effect."""


def confirming_key(effect: Effect, replaces: ClientOrderId | None) -> str:
    """The one key that confirms an order with this effect, in the place of that order or of none (OP-04)."""
    return CONFIRMING_KEYS[effect] if replaces is None else REPLACING_KEY


class OrderType(Enum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


class TimeInForce(Enum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"


class OrderStatus(Enum):
    """EX-01. `core.execution.order_machine` says which may follow which."""

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


_TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class StopHolder(Enum):
    """Who acts when the stop is reached: the broker, this desk by an urgent proposal, or nobody but YOU."""

    BROKER = "broker"
    DESK = "desk"
    YOU = "you"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """Exactly what would be sent. A price that the type does not have is None.

    Attributes
    ----------
    replaces
        Our own working order whose place it takes at the broker; None for an order of its own.
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

    @property
    def confirming_key(self) -> str:
        return confirming_key(self.effect, self.replaces)

    def digest(self, account: str) -> Digest:
        """SHA-256 over the account and every field that reaches the broker (OP-02)."""
        return digest_of(account, *self.fields())

    def fields(self) -> tuple[str, ...]:
        """The request as text, field by field, in a fixed order."""
        return (
            self.client_order_id,
            self.symbol,
            self.side.value,
            self.effect.value,
            plain(self.quantity),
            self.type.value,
            self.time_in_force.value,
            "-" if self.limit_price is None else plain(self.limit_price),
            "-" if self.stop_price is None else plain(self.stop_price),
            *(() if self.replaces is None else (self.replaces,)),
        )


def digest_of(*fields: str) -> Digest:
    """SHA-256 of the fields, in order, as 64 hex digits; a unit separator keeps neighbours apart."""
    return Digest(hashlib.sha256("\x1f".join(fields).encode()).hexdigest())


def order_id_of(*parts: str) -> ClientOrderId:
    """First 16 hex digits of SHA-256 over `a:b:c…` (EX-04): the same signal always has the same order."""
    return ClientOrderId(hashlib.sha256(":".join(parts).encode()).hexdigest()[:16])
