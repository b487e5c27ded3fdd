"""What can be traded, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.values import Fraction, Symbol


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
    long_requirement, short_requirement
        The part of its value that the account must hold to keep it, long or short; None where the broker does not say.
    """

    symbol: Symbol
    is_tradable: bool = True
    is_fractionable: bool = True
    is_shortable: bool = True
    is_easy_to_borrow: bool = True
    quantity_step: Decimal = Decimal("0.001")
    is_marginable: bool = True
    is_crypto: bool = False
    long_requirement: Fraction | None = None
    short_requirement: Fraction | None = None


@dataclass(frozen=True, slots=True)
class NoInstrument:
    """The broker does not know the symbol, or has not said yet."""

    reason: str
