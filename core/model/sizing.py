"""The result of sizing: shares, the limit that applied, each term with its factor, and omitted terms (RK-10)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import prod

from core.model.values import Fraction, Money, Quantity

WHOLE = Fraction(Decimal(1))
"""The factor without effect."""


@dataclass(frozen=True, slots=True)
class Term:
    """A factor on the risk of a trade.

    Attributes
    ----------
    factor
        0 to 1, exactly as it was applied: a term never makes a trade larger.
    words
        The reason with its figures.
    """

    name: str
    factor: Fraction
    words: str

    @property
    def cuts(self) -> bool:
        return self.factor < WHOLE

    def __str__(self) -> str:
        return f"{self.factor.normalize():f} {self.name}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A term that could not be measured and had no effect, and why."""

    name: str
    why: str


class SizeLimit(StrEnum):
    """The limits of a size, by their text."""

    RISK = "the risk of a trade"
    NOTIONAL = "the largest order"
    BUDGET = "the risk budget"
    ALLOCATION = "the strategy's allocation"
    LEAST = "the smallest order"


@dataclass(frozen=True, slots=True)
class Size:
    """Shares, zero if none fit, and the limit that applied: a `SizeLimit` or the text of another.

    Attributes
    ----------
    terms
        Every measured term, also those without effect.
    risk
        USD that the terms multiply; None if unknown.
    """

    quantity: Quantity
    limited_by: SizeLimit | str
    terms: tuple[Term, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    risk: Money | None = None

    @property
    def factor(self) -> Fraction:
        """The product of all factors on the risk."""
        return product(self.terms)

    @property
    def cuts(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.cuts)


def product(terms: tuple[Term, ...]) -> Fraction:
    """Multiply the factors exactly: they are few, with two places each."""
    return Fraction(prod((term.factor for term in terms), start=WHOLE))


@dataclass(frozen=True, slots=True)
class Room:
    """The remaining limits of the whole account for one more entry.

    Attributes
    ----------
    cost
        Highest cost, USD; None if no known figure limits it.
    by
        The nearest limit.
    loss
        Highest loss at its stop in these hours, USD; None in regular ones.
    """

    cost: Money | None
    by: str
    loss: Money | None = None


NO_LIMITS = Room(None, "")
