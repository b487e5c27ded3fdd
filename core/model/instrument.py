"""What can be traded: what kind of thing it is, what one of it counts for, and by which steps it trades.

Here alone a quantity meets a price. Whatever something costs, is worth, makes or risks is asked of its instrument,
which counts its multiplier once: a hundred shares a contract, one share a share. A check keeps such products out of
every other room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import Enum
from functools import lru_cache

from core.model.values import CENT, ONE_DOLLAR, SUB_PENNY, ZERO, Fraction, Money, Price, Symbol, VenueId

ONE = Decimal(1)


class AssetClass(Enum):
    """What kind of thing it is; what that asks for stands in one table, `ASKED`."""

    asked: Asked
    STOCK = "stock"
    OPTION = "option"
    CRYPTO = "crypto"
    OTHER = "other"
    """A kind that has no name here."""


class Hours(Enum):
    """When it trades."""

    OF_ITS_VENUE = "venue"
    ALL_DAY = "always"


@dataclass(frozen=True, slots=True)
class Asked:
    """What its class asks of an instrument, and of whoever would trade it.

    Attributes
    ----------
    is_opened
        Whether this desk has rules for what opens in it.
    hours
        Which hours it keeps, and by whose limits an entry outside a regular session is measured (RK-20).
    not_yet
        Why nothing in it is sent at any hour; empty where something may be.
    """

    is_opened: bool = True
    hours: Hours = Hours.OF_ITS_VENUE
    not_yet: str = ""


ASKED: Mapping[AssetClass, Asked] = {
    AssetClass.STOCK: Asked(),
    AssetClass.OPTION: Asked(is_opened=False),
    AssetClass.CRYPTO: Asked(
        hours=Hours.ALL_DAY, not_yet="crypto has a day of 24 hours, and this desk trades none yet"
    ),
    AssetClass.OTHER: Asked(is_opened=False),
}
"""The one place that says how the classes differ."""
for _kind, _asked in ASKED.items():
    _kind.asked = _asked  # an attribute is read in half the time that a member takes to be looked up


@dataclass(frozen=True, slots=True)
class Ticks:
    """The smallest steps of a price: each from a price on, USD, the highest first; the last one from zero."""

    steps: tuple[tuple[Decimal, Decimal], ...]

    def at(self, price: Decimal) -> Decimal:
        """The step at a price, USD."""
        for begins, step in self.steps:
            if price >= begins:
                return step
        return self.steps[-1][1]

    def rounded(self, price: Decimal, rounding: str = ROUND_HALF_UP) -> Price:
        """The price on its step."""
        step = self.at(price)
        return Price((price / step).to_integral_value(rounding) * step)

    def break_even(self, average: Decimal, fee: Decimal = ZERO, *, is_long: bool) -> Price:
        """A stop at what was paid, and for one of them as a fee, on its step: rounded to where nothing is lost."""
        return self.rounded(average + fee, ROUND_CEILING) if is_long else self.rounded(average - fee, ROUND_FLOOR)

    def nearest(self, price: Decimal) -> Price:
        """The same, halves up, with as many places as the step has: `100.50`."""
        return Price(self.rounded(price).quantize(self.at(price)))


@dataclass(frozen=True, slots=True)
class Lots:
    """In which quantities it trades: in steps of `step`, and no fewer than `least`."""

    step: Decimal = Decimal("0.001")
    least: Decimal = ZERO

    @property
    def has_fractions(self) -> bool:
        """Whether parts of one trade."""
        return self.step < ONE


STOCK_TICKS = Ticks(((ONE_DOLLAR, CENT), (ZERO, SUB_PENNY)))
"""A cent from one dollar on, a hundredth of a cent below (Reg NMS 612)."""
FRACTIONS = Lots()
"""Thousandths of a share; Alpaca takes nine decimals, ours are coarser."""
WHOLE_ONES = Lots(step=ONE)
US_STOCKS = VenueId("XNYS")
"""Where shares trade whose venue nobody named: the hours of all exchanges of US stocks are the same."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing that can be traded, by what never depends on the day.

    Attributes
    ----------
    symbol
        Its identifier.
    multiplier
        How many of what its price is quoted for one of it is: 1 of a share, 100 of most options.
    ticks, lots
        The steps of its price, and of its quantity.
    """

    symbol: Symbol
    asset_class: AssetClass = AssetClass.STOCK
    multiplier: Decimal = ONE
    ticks: Ticks = STOCK_TICKS
    lots: Lots = FRACTIONS
    venue: VenueId = US_STOCKS

    @property
    def asked(self) -> Asked:
        return self.asset_class.asked

    @property
    def is_share(self) -> bool:
        """Whether its symbol alone says all that counts: what it costs, makes and risks is a share's."""
        is_counted_once = self.multiplier == ONE and self.ticks == STOCK_TICKS
        return is_counted_once and self.asset_class is AssetClass.STOCK and self.venue == US_STOCKS

    @property
    def is_fractionable(self) -> bool:
        return self.lots.has_fractions

    @property
    def quantity_step(self) -> Decimal:
        return self.lots.step

    @property
    def terms(self) -> Instrument:
        """What it is, without what a broker says of it today."""
        return Instrument(*(getattr(self, field.name) for field in fields(Instrument)))

    # ── the one place where a quantity meets a price ─────────────────────────────────────────────────────────────────

    def notional(self, quantity: Decimal, price: Decimal) -> Money:
        """What so many are worth at a price, USD; signed as the quantity is."""
        return Money(quantity * price * self.multiplier)

    cost = notional
    """What is paid for so many at a price (sold short: received), USD: all that trades here is paid in full."""

    risk = notional
    """What so many lose when the price goes so far against them, USD."""

    def profit(self, quantity: Decimal, paid: Decimal, price: Decimal) -> Money:
        """What so many make that were paid for at one price, at another, USD; a quantity below zero is short."""
        return self.notional(quantity, price - paid)

    def price_of(self, quantity: Decimal, worth: Decimal) -> Price:
        """The price at which so many are worth so much."""
        return Price(worth / (quantity * self.multiplier))

    def quantity_for(self, worth: Decimal, price: Decimal) -> Decimal:
        """How many so much money buys at a price; on no step yet."""
        return worth / (price * self.multiplier)


@lru_cache(maxsize=4096)
def share(symbol: Symbol) -> Instrument:
    """What a symbol names where nothing else is said of it."""
    return Instrument(symbol)


def named(instrument: Instrument) -> Instrument | None:
    """As what is in it names it; None of a share, which its symbol names."""
    return None if instrument.is_share else instrument.terms


ANY_SHARE = share(Symbol(""))
"""Where it is known that it is a share, and does not matter of what."""


class Borrow(Enum):
    """Whether the broker lends it to be sold short."""

    EASY = "easy_to_borrow"
    HARD = "hard_to_borrow"
    """It needs a locate: shares that somebody finds and keeps, for a fee."""
    UNTOLD = "not told"
    """The broker does not say, or in a word that is unknown here."""


@dataclass(frozen=True, slots=True)
class BrokerInstrument(Instrument):
    """An instrument, and what the broker says of it today.

    Attributes
    ----------
    is_marginable
        Whether anything is lent against it.
    borrow, borrow_said
        Whether it is lent, and the broker's own word where that is unknown here.
    class_said
        The broker's own word for what kind of thing it is; empty where it is one of ours.
    attributes
        What else the broker says of it, in its own words.
    has_extended_fractions
        Whether parts of one trade outside the regular session too.
    entry_warned
        What the broker may hold against an entry in it; empty where nothing.
    long_requirement, short_requirement
        The part of its value that the account must hold to keep it, long or short; None where the broker does not say.
    """

    is_tradable: bool = True
    is_shortable: bool = True
    is_marginable: bool = True
    long_requirement: Fraction | None = None
    short_requirement: Fraction | None = None
    borrow: Borrow = Borrow.EASY
    borrow_said: str = ""
    class_said: str = ""
    attributes: tuple[str, ...] = ()
    has_extended_fractions: bool = True
    entry_warned: str = ""

    @property
    def short_refused(self) -> str:
        """Why it cannot be sold short, and empty where it can."""
        if not self.is_shortable:
            return f"{self.symbol} cannot be sold short"
        if self.borrow is Borrow.HARD:
            return f"{self.symbol} is hard to borrow: needs a locate, which this desk does not ask for"
        if self.borrow is Borrow.UNTOLD and self.borrow_said:
            return f"{self.symbol}: whether it can be borrowed is said in a word unknown here, {self.borrow_said!r}"
        if self.borrow is Borrow.UNTOLD:
            return f"{self.symbol}: the broker does not say whether it can be borrowed"
        return ""

    @property
    def class_refused(self) -> str:
        """Why nothing of its kind is opened, and empty where it may be."""
        if self.asked.is_opened:
            return ""
        said = self.class_said or self.asset_class.value
        return f"{self.symbol} is of class {said!r}, which this desk does not trade"


@dataclass(frozen=True, slots=True)
class NoInstrument:
    """The broker does not know the symbol, or has not said yet."""

    reason: str
