"""Figures of a symbol's days before today, for measures with a long window (RK-08, RK-10, RK-16)."""

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
        USD; None if missing in the broker's daily bars.
    deviation
        Standard deviation of its one-minute returns; None if not requested, or with too few returns.
    volume
        Shares; None if missing in the broker's daily bars.
    """

    day: date
    close: Price | None
    deviation: Decimal | None
    volume: Quantity | None = None


@dataclass(frozen=True, slots=True)
class PastDays:
    """Past sessions, oldest first, and the final minutes of the last one."""

    symbol: Symbol
    days: tuple[PastDay, ...]
    minutes: tuple[Bar, ...] = ()
