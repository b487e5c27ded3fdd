"""What can be traded, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from core.model.values import Fraction, Symbol


class Borrow(Enum):
    """Whether the broker lends it to be sold short."""

    EASY = "easy_to_borrow"
    HARD = "hard_to_borrow"
    """It needs a locate: shares that somebody finds and keeps, for a fee."""
    UNTOLD = "not told"
    """The broker does not say, or in a word that is unknown here."""


SHARES = "us_equity"
TRADED_CLASSES = frozenset({SHARES, "crypto"})
"""What this desk has rules for; the rules of crypto refuse what opens (RK-20)."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable thing as the broker describes it.

    Attributes
    ----------
    quantity_step
        Smallest part of a share: 0.001 where fractions trade (Alpaca accepts nine decimals; ours are coarser), else 1.
    is_marginable
        Whether anything is lent against it.
    is_crypto
        It trades at all hours.
    borrow, borrow_said
        Whether it is lent, and the broker's own word where that is unknown here.
    asset_class
        The broker's own word for what kind of thing it is.
    attributes
        What else the broker says of it, in its own words.
    long_requirement, short_requirement
        The part of its value that the account must hold to keep it, long or short; None where the broker does not say.
    """

    symbol: Symbol
    is_tradable: bool = True
    is_fractionable: bool = True
    is_shortable: bool = True
    quantity_step: Decimal = Decimal("0.001")
    is_marginable: bool = True
    is_crypto: bool = False
    long_requirement: Fraction | None = None
    short_requirement: Fraction | None = None
    borrow: Borrow = Borrow.EASY
    borrow_said: str = ""
    asset_class: str = SHARES
    attributes: tuple[str, ...] = ()

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
        if self.asset_class in TRADED_CLASSES:
            return ""
        return f"{self.symbol} is of class {self.asset_class!r}, which this desk does not trade"


@dataclass(frozen=True, slots=True)
class NoInstrument:
    """The broker does not know the symbol, or has not said yet."""

    reason: str
