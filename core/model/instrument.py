"""Symbols and instruments: asset class, multiplier, and steps of price and quantity.

Only this module multiplies a quantity by a price. Cost, value, profit and risk are computed by the instrument, which
applies its multiplier once: a hundred shares a contract, one share a share. A check keeps such products out of all
other packages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import Enum
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

from core.model.lazy_dataclass import dataclass
from core.model.values import CENT, ONE_DOLLAR, SUB_PENNY, ZERO, Fraction, Money, Price, Symbol, VenueId

# ── symbols ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Symbols: how one is parsed, the lists of symbols without entries, and the watchlists (RK-26, MD-06).
#
# Parse a symbol typed by a person or read from a file; the only place that does (SY-06). Only ASCII letters:
# `str.upper` would turn `ſpy` into SPY and a ligature into FF.

SYMBOL = re.compile(r"[A-Z][A-Z0-9./]{0,9}")
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def capitals(text: str) -> str:
    """Convert ASCII lower-case letters to capitals; other characters stay."""
    return text.translate(_CAPITALS)


def small_letters(text: str) -> str:
    """Lower the ASCII capitals alone: `str.lower` turns the kelvin sign into a k."""
    return text.translate(_SMALL)


def symbol_in(text: str) -> Symbol | None:
    """Return the symbol, in either case; None if it is not one."""
    written = capitals(text)
    return Symbol(written) if SYMBOL.fullmatch(written) else None


LONGEST_REASON = 80
"""Characters."""


class ListKind(Enum):
    """The lists; one symbol may be on several. All of them block entries alone."""

    NEVER = "never trade"
    CLOSE_ONLY = "close only"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class ListedSymbol:
    """A symbol on a list.

    Attributes
    ----------
    since, at
        The trading day, and the instant, at which it was added.
    until
        For a restriction, the first trading day on which entries pass again; else None: the operator ends it.
    """

    symbol: Symbol
    kind: ListKind
    reason: str
    since: date
    at: datetime
    until: date | None = None

    def holds(self, day: date) -> bool:
        return self.until is None or day < self.until

    @property
    def words(self) -> str:
        """As in `never trade since 2026-11-19: no borrow`; `restricted until 2026-12-01, since 2026-11-19:
        earnings`.
        """
        until = "" if self.until is None else f" until {self.until},"
        return f"{self.kind.value}{until} since {self.since}: {self.reason}"


SHARE = re.compile(r"[A-Z]{1,5}([.][A-Z]{1,2})?")
"""The form of a share's symbol, which excludes options and coins."""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,15}")
LONGEST_NAME = 16
MAIN = "main"
"""The list that always exists: the symbols of the settings, until a list of this name is saved."""
HELD = "held"
"""The desk's own list, of what is held, ordered and proposed: no list of the operator's has its name."""
MOST_LISTS = 12
MOST_SYMBOLS = 200
"""Of all lists together, each symbol counted once: every one costs quotes, and a part of the broker's limit."""


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A list in the operator's order."""

    name: str
    symbols: tuple[Symbol, ...]


def fault_of(wanted: Watchlist, others: Mapping[str, tuple[Symbol, ...]]) -> str | None:
    """Return why it cannot be saved beside the others; None if it can. Saving an empty list removes it."""
    if NAME.fullmatch(wanted.name) is None:
        return f"{wanted.name[:20]!r}: a list is called by 1 to 16 small letters, digits, - or _, a letter first"
    if wanted.name == HELD and wanted.symbols:
        return f"{HELD} is the desk's own list, of what is held; give yours another name"
    if odd := [symbol for symbol in wanted.symbols if SHARE.fullmatch(symbol) is None]:
        return f"{odd[0][:20]!r} is not how a share is written"
    if twice := [symbol for number, symbol in enumerate(wanted.symbols) if symbol in wanted.symbols[:number]]:
        return f"{twice[0]} stands there twice"
    kept = {name: symbols for name, symbols in others.items() if name != wanted.name}
    if wanted.symbols and len(kept) >= MOST_LISTS:
        return f"there are {MOST_LISTS} lists; remove one first"
    many = len({*wanted.symbols, *(symbol for symbols in kept.values() for symbol in symbols)})
    return f"{many} symbols in all lists, at most {MOST_SYMBOLS}" if many > MOST_SYMBOLS else None


# ── instruments ──────────────────────────────────────────────────────────────────────────────────────────────────────

ONE = Decimal(1)


class AssetClass(Enum):
    """The asset class; its requirements are in one table, `ASKED`."""

    asked: Asked
    STOCK = "stock"
    OPTION = "option"
    CRYPTO = "crypto"
    OTHER = "other"
    """A class that has no name here."""


class Hours(Enum):
    """Trading hours."""

    OF_ITS_VENUE = "venue"
    ALL_DAY = "always"


@dataclass(frozen=True, slots=True)
class Asked:
    """Requirements of an asset class for trading it.

    Attributes
    ----------
    is_opened
        Whether this desk has rules for entries in it.
    hours
        Its trading hours, and the limits that apply to an entry outside a regular session (RK-20).
    not_yet
        Why no order in it is sent at any hour; empty if orders are allowed.
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
"""The only place that defines how the classes differ."""
for _kind, _asked in ASKED.items():
    _kind.asked = _asked  # reading an attribute takes half the time of a lookup by member


@dataclass(frozen=True, slots=True)
class Ticks:
    """The smallest steps of a price: each from a price on, USD, the highest first; the last one from zero."""

    steps: tuple[tuple[Decimal, Decimal], ...]

    def at(self, price: Decimal) -> Decimal:
        """Return the step at a price, USD."""
        for begins, step in self.steps:
            if price >= begins:
                return step
        return self.steps[-1][1]

    def rounded(self, price: Decimal, rounding: str = ROUND_HALF_UP) -> Price:
        """Round a price to its step."""
        step = self.at(price)
        return Price((price / step).to_integral_value(rounding) * step)

    def break_even(self, average: Decimal, fee: Decimal = ZERO, *, is_long: bool) -> Price:
        """Return the break-even stop at average price and fee per unit, on its step, rounded so that nothing
        is lost.
        """
        return self.rounded(average + fee, ROUND_CEILING) if is_long else self.rounded(average - fee, ROUND_FLOOR)

    def nearest(self, price: Decimal) -> Price:
        """Round half up, with as many places as the step has: `100.50`."""
        return Price(self.rounded(price).quantize(self.at(price)))


@dataclass(frozen=True, slots=True)
class Lots:
    """Quantities that trade: in steps of `step`, and no fewer than `least`."""

    step: Decimal = Decimal("0.001")
    least: Decimal = ZERO

    @property
    def has_fractions(self) -> bool:
        return self.step < ONE


STOCK_TICKS = Ticks(((ONE_DOLLAR, CENT), (ZERO, SUB_PENNY)))
"""A cent from one dollar on, a hundredth of a cent below (Reg NMS 612)."""
FRACTIONS = Lots()
"""Thousandths of a share; Alpaca allows nine decimals, ours are coarser."""
WHOLE_ONES = Lots(step=ONE)
US_STOCKS = VenueId("XNYS")
"""The venue of shares without a named one: the hours of all exchanges of US stocks are the same."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """The static properties of a tradable instrument.

    Attributes
    ----------
    symbol
        Its identifier.
    multiplier
        Quoted units per unit traded: 1 for a share, 100 for most options.
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
        """Whether it is a plain US share, so that its symbol alone describes it."""
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
        """The instrument without the broker's current data."""
        return Instrument(*(getattr(self, field.name) for field in fields(Instrument)))

    # ── the only place that multiplies quantity and price ────────────────────────────────────────────────────────────

    def notional(self, quantity: Decimal, price: Decimal) -> Money:
        """Value of a quantity at a price, USD; signed as the quantity is."""
        return Money(quantity * price * self.multiplier)

    cost = notional
    """Cost of a quantity at a price (sold short: proceeds), USD: every instrument here is paid in full."""

    risk = notional
    """Loss of a quantity when the price moves this far against it, USD."""

    def profit(self, quantity: Decimal, paid: Decimal, price: Decimal) -> Money:
        """Profit of a quantity bought at one price, at another, USD; a quantity below zero is short."""
        return self.notional(quantity, price - paid)

    def price_of(self, quantity: Decimal, worth: Decimal) -> Price:
        """Return the price at which a quantity has a value."""
        return Price(worth / (quantity * self.multiplier))

    def quantity_for(self, worth: Decimal, price: Decimal) -> Decimal:
        """Return the quantity that an amount buys at a price, not rounded to a step."""
        return worth / (price * self.multiplier)


@lru_cache(maxsize=4096)
def share(symbol: Symbol) -> Instrument:
    """Return the plain share with a symbol."""
    return Instrument(symbol)


def named(instrument: Instrument) -> Instrument | None:
    """Return the instrument to name in a record; None for a share, which its symbol names."""
    return None if instrument.is_share else instrument.terms


ANY_SHARE = share(Symbol(""))
"""For a share whose symbol does not matter."""


class Borrow(Enum):
    """Whether the broker lends it for short sales."""

    EASY = "easy_to_borrow"
    HARD = "hard_to_borrow"
    """It needs a locate: shares found and reserved by somebody, for a fee."""
    UNTOLD = "not told"
    """The broker does not say, or uses an unknown value."""


@dataclass(frozen=True, slots=True)
class BrokerInstrument(Instrument):
    """An instrument with the broker's current data.

    Attributes
    ----------
    is_marginable
        Whether the broker lends against it.
    borrow, borrow_said
        Whether it can be borrowed, and the broker's value if that is unknown here.
    class_said
        The broker's own name of its class; empty if it is one of ours.
    attributes
        Further attributes in the broker's own terms.
    has_extended_fractions
        Whether fractions also trade outside the regular session.
    entry_warned
        The broker's possible reason against an entry in it; empty if there is none.
    long_requirement, short_requirement
        Maintenance requirement as a share of its value, long or short; None if not reported.
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
        """Why it cannot be sold short; empty if it can."""
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
        """Why no entry in its class is allowed; empty if it is."""
        if self.asked.is_opened:
            return ""
        said = self.class_said or self.asset_class.value
        return f"{self.symbol} is of class {said!r}, which this desk does not trade"


@dataclass(frozen=True, slots=True)
class NoInstrument:
    """The broker does not know the symbol, or has not answered yet; `unlisted` is set if it said so itself."""

    reason: str
    unlisted: Symbol | None = None
