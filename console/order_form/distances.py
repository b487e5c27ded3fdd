"""A stop or target as a distance from the entry: `1%` of its price, `1.5atr`, or `2r` (twice the distance to the stop).

It is rounded to the tick: a stop is never further away than typed, a target never nearer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum

from console.order_form.numbers import WHOLE
from core.model.instrument import Ticks
from core.model.symbols import small_letters
from core.model.values import Price


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
