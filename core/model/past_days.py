"""The days before today's of one symbol, in figures that measures with a long memory need (RK-08, RK-10, RK-16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.model.bar import Bar
from core.model.values import Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class PastDay:
    """One session.

    Attributes
    ----------
    close
        USD; None where the broker's daily bars lack it.
    deviation
        Standard deviation of its one-minute returns; None where it was not asked for, or had too few.
    volume
        Shares; None where the broker's daily bars lack it.
    """

    day: date
    close: Price | None
    deviation: Decimal | None
    volume: Quantity | None = None


@dataclass(frozen=True, slots=True)
class PastDays:
    """Sessions that are over, the oldest first, and the last minutes of the last of them."""

    symbol: Symbol
    days: tuple[PastDay, ...]
    minutes: tuple[Bar, ...] = ()
