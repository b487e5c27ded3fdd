"""What can be traded, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.values import Symbol


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable thing as the broker describes it.

    Attributes
    ----------
    quantity_step
        Smallest part of a share: 0.001 where fractions trade (Alpaca accepts nine decimals; ours are coarser), else 1.
    """

    symbol: Symbol
    is_tradable: bool = True
    is_fractionable: bool = True
    is_shortable: bool = True
    is_easy_to_borrow: bool = True
    quantity_step: Decimal = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class NoInstrument:
    """The broker does not know the symbol, or has not said yet."""

    reason: str
