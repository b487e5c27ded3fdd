"""The parsed fields of an order form, and their errors.

A fault prevents staging. A doubt is a warning that the engine's checks would give with current figures; it is shown
beside the field too, but the checks decide after Enter.
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
"""All fields, in the order of the form."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """A field and its error."""

    field: str
    message: str


@dataclass(slots=True)
class Draft:
    """The parsed fields; None if not readable yet.

    Attributes
    ----------
    price
        The price for sizes and costs, USD a share: the limit, the trigger of a stop entry, else the touched side of the
        quote; for a short sale with a limit the bid if that is higher.
    farthest, nearest
        For an entry, the fill prices farthest from and nearest to its stop, USD.
    faults, doubts
        By field.
    is_stale
        Whether the quote is too old to be used.
    readings
        By field, the interpretation of a text that is not a plain price.
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
        """Whether these are two closing orders that cancel each other."""
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
        """Loss at the stop; None if the order does not open or figures are missing."""
        if not self.opens or self.quantity is None or self.stop is None or "stop" in self.faults:
            return None
        return None if self.farthest is None else self.instrument.risk(self.quantity, abs(self.farthest - self.stop))

    @property
    def gain(self) -> Decimal | None:
        """Gain at the target, from the fill farthest from the stop; None if either is missing."""
        if self.quantity is None or self.target is None or self.farthest is None or "target" in self.faults:
            return None
        return self.instrument.risk(self.quantity, abs(self.target - self.farthest))

    @property
    def touch(self) -> Price | None:
        """The side of the quote at which it would trade."""
        quote = self.symbol.quote if self.symbol is not None else None
        if quote is None or self.effect is None:
            return None
        return quote.ask if self.buys else quote.bid

    @property
    def step(self) -> Decimal:
        """Quantity step in shares; a short sale needs whole shares."""
        return Decimal(1) if self.symbol is None or self.effect is Effect.SHORT else self.symbol.quantity_step

    def first_fault(self) -> FieldFault | None:
        return next((FieldFault(name, self.faults[name]) for name in ORDER if name in self.faults), None)
