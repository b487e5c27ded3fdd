"""What the fields of an order form say so far, and what is wrong with which of them.

A fault keeps the order from being staged. A doubt is what the engine's checks would say by the figures of now: it
stands beside its field too, and Enter asks them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.model.instrument import ANY_SHARE, Instrument
from core.model.order import Effect, OrderType, StopHolder, TimeInForce
from core.model.values import ZERO, Fraction, Price, Quantity
from core.views import SymbolView

ORDER = (
    "symbol", "effect", "quantity", "type", "limit", "stop", "holder", "lasts", "target", "trigger", "trail", "ttl",
)  # fmt: skip
"""Every field, as the form shows them."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with which field."""

    field: str
    message: str


@dataclass(slots=True)
class Draft:
    """What the fields say so far; None is what cannot be read yet.

    Attributes
    ----------
    price
        USD a share that it is measured by: its limit, a stop entry's trigger, else the side of the quote that it would
        take; of a short sale at a limit the bid where that is higher.
    farthest, nearest
        Of an entry, the fill that is farthest from its stop and the one that is nearest to it, USD.
    faults, doubts
        By field.
    is_stale
        Whether the quote is too old to measure with.
    readings
        By field, how a text that is no plain price is read.
    """

    symbol: SymbolView | None = None
    effect: Effect | None = None
    quantity: Quantity | None = None
    type: OrderType | None = None
    limit: Price | None = None
    stop: Price | None = None
    lasts: TimeInForce | None = None
    holder: StopHolder | None = None
    target: Price | None = None
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    trigger: Price | None = None
    ttl: int | None = None
    held: Decimal = ZERO
    is_stale: bool = False
    price: Price | None = None
    farthest: Price | None = None
    nearest: Price | None = None
    faults: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def opens(self) -> bool:
        return self.effect is not None and not self.effect.only_reduces

    @property
    def buys(self) -> bool:
        return self.effect is None or self.effect in (Effect.OPEN, Effect.ADD, Effect.COVER)

    @property
    def waits(self) -> bool:
        return self.type is not None and self.type.waits

    @property
    def trails(self) -> bool:
        return self.type is not None and self.type.trails

    @property
    def is_pair(self) -> bool:
        """Two orders that close, of which either cancels the other."""
        closes = self.effect is not None and self.effect.only_reduces
        return closes and self.type is not None and self.type.rests and self.stop is not None

    @property
    def instrument(self) -> Instrument:
        return ANY_SHARE if self.symbol is None else self.symbol.instrument

    @property
    def cost(self) -> Decimal | None:
        return None if self.quantity is None or self.price is None else self.instrument.cost(self.quantity, self.price)

    @property
    def loss(self) -> Decimal | None:
        """At the stop; None where nothing is opened, or nothing is known."""
        if not self.opens or self.quantity is None or self.stop is None or "stop" in self.faults:
            return None
        return None if self.farthest is None else self.instrument.risk(self.quantity, abs(self.farthest - self.stop))

    @property
    def gain(self) -> Decimal | None:
        """At the target, from the fill that is farthest from the stop; None where there is none of either."""
        if self.quantity is None or self.target is None or self.farthest is None or "target" in self.faults:
            return None
        return self.instrument.risk(self.quantity, abs(self.target - self.farthest))

    @property
    def touch(self) -> Price | None:
        """The side of the quote that it would take."""
        quote = self.symbol.quote if self.symbol is not None else None
        if quote is None or self.effect is None:
            return None
        return quote.ask if self.buys else quote.bid

    @property
    def step(self) -> Decimal:
        """Shares; a short sale is of whole ones."""
        return Decimal(1) if self.symbol is None or self.effect is Effect.SHORT else self.symbol.quantity_step

    def first_fault(self) -> FieldFault | None:
        return next((FieldFault(name, self.faults[name]) for name in ORDER if name in self.faults), None)
