"""The parsed fields of an order form: their fixed words, numbers and distances, and their errors.

A stop or target as a distance from the entry: `1%` of its price, `1.5atr`, or `2r` (twice the distance to the stop).
It is rounded to the tick: a stop is never further away than typed, a target never nearer.

A fault prevents staging. A doubt is a warning that the engine's checks would give with current figures; it is shown
beside the field too, but the checks decide after Enter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum

from core.model.instrument import ANY_SHARE, Instrument, Ticks, small_letters
from core.model.lazy_dataclass import dataclass
from core.model.order import TYPED, Effect, OrderType, StopHolder, TimeInForce
from core.model.values import ZERO, Fraction, Price, Quantity
from core.views import SymbolView

TOO_LARGE = "too large: 999,999,999 at the most"
DIGITS = re.compile(r"\d+(\.\d*)?", re.ASCII)
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
LONGEST = 9
"""Most digits before the point."""
WHOLE = 100
"""Percent."""


def number_in(text: str) -> Decimal | None:
    """Return a number above zero, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and Decimal(stripped) else None


def is_too_large(text: str) -> bool:
    """Return whether it is a number above the maximum."""
    return bool(DIGITS.fullmatch(bare := text.strip())) and len(bare.partition(".")[0].lstrip("0")) > LONGEST


LIMIT = "limit"
BUY, SELL, SHORT, COVER = "buy", "sell", "short", "cover"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "effect": (BUY, SELL, SHORT, COVER),
    "type": tuple(sorted(TYPED, key=lambda word: word != LIMIT)),
    "holder": tuple(holder.value for holder in StopHolder),
    "lasts": tuple(lasts.value for lasts in TimeInForce),
}
"""The words of each field, in the order of the key that steps through them."""


def chosen(field: str, text: str) -> str:
    """Return the word equal to `text`, or the only word that starts with it; else `text`.

    If one word is the beginning of others, as stop is of stop-limit, that word is meant.
    """
    named = CHOICES[field]
    if text in named or not text:
        return text
    meant = sorted((word for word in named if word.startswith(text)), key=len)
    return meant[0] if meant and all(word.startswith(meant[0]) for word in meant) else text


def one_of(named: Sequence[str]) -> str:
    return f"{', '.join(named[:-1])} or {named[-1]}"


def moved(field: str, now: str, step: int) -> str:
    """Return the word `step` places further; the first if `now` is none of them."""
    named = CHOICES[field]
    return named[(named.index(now) + step) % len(named)] if now in named else named[0]


def lettered(field: str, now: str, begun: str, letter: str) -> tuple[str, str] | None:
    """Return the word chosen by a further letter, and the letters typed so far; None if no word matches.

    Successive letters spell a word. A letter that does not continue it starts over and chooses the next word with that
    letter, so that repeating a letter cycles.
    """
    for typed in (begun + letter, letter):
        named = [word for word in CHOICES[field] if word.startswith(typed)]
        if not named:
            continue
        is_again = typed == letter and now in named
        return named[(named.index(now) + 1) % len(named)] if is_again else named[0], typed
    return None


class Measure(Enum):
    """The unit of a distance, as typed."""

    PERCENT = "%"
    ATR = "atr"
    R = "r"


DISTANCE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*(%|atr|at|a|r)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Distance:
    """A number of units."""

    count: Decimal
    measure: Measure


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that measure a distance; None if unknown.

    Attributes
    ----------
    price
        The entry price, USD.
    atr
        Average true range of the symbol's minutes, USD.
    risk
        The distance from the entry to its stop, USD.
    """

    price: Decimal | None
    atr: Decimal | None
    risk: Decimal | None


def distance_in(text: str) -> Distance | None:
    """Parse a distance; None for a price or unreadable text."""
    found = DISTANCE.fullmatch(text.strip())
    if found is None or not Decimal(found[1]):
        return None
    unit = small_letters(found[2])
    measure = Measure.ATR if unit.startswith("a") else Measure(unit)
    return Distance(Decimal(found[1]), measure)


def way_of(distance: Distance, known: Measured) -> Decimal | str:
    """Return the distance in USD, or why it cannot be measured."""
    match distance.measure:
        case Measure.PERCENT if known.price is None:
            return "a percentage needs a limit or a quote"
        case Measure.PERCENT if distance.count >= WHOLE:
            return "under 100 %"
        case Measure.PERCENT:
            assert known.price is not None
            return distance.count / WHOLE * known.price
        case Measure.ATR:
            return "the ATR is not known yet" if known.atr is None else distance.count * known.atr
        case Measure.R:
            return "R is the way to the stop: it needs one" if known.risk is None else distance.count * known.risk


def priced_at(anchor: Decimal, way: Decimal, ticks: Ticks, *, is_above: bool, is_stop: bool) -> Price | None:
    """Return the price at a distance; a stop is rounded towards the entry, a target away from it.

    None if the price would not be above zero.
    """
    price = anchor + way if is_above else anchor - way
    if price <= 0:
        return None
    rounding = ROUND_CEILING if is_above is not is_stop else ROUND_FLOOR
    rounded = ticks.rounded(price, rounding)
    return rounded if rounded > 0 else None


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
