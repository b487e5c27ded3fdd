"""What a size says of itself: shares, what limited them, each term with its factor, what was left out (RK-10)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import prod

from core.model.values import Fraction, Money, Quantity

WHOLE = Fraction(Decimal(1))
"""The factor that changes nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that the risk of a trade was multiplied by.

    Attributes
    ----------
    factor
        0 to 1, exactly as it was applied: a term never makes a trade larger.
    words
        Why, with its figures.
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
    """A term that could not be measured and changed nothing, and why."""

    name: str
    why: str


class SizeLimit(StrEnum):
    """What may limit a size, by its words."""

    RISK = "the risk of a trade"
    NOTIONAL = "the largest order"
    BUDGET = "the risk budget"
    ALLOCATION = "the strategy's allocation"
    LEAST = "the smallest order"


@dataclass(frozen=True, slots=True)
class Size:
    """Shares, zero where none fit, and what limited them: one of the limits, or words for another.

    Attributes
    ----------
    terms
        Every term that was measured, those that changed nothing too.
    risk
        USD that the terms multiply; None where it is not known.
    """

    quantity: Quantity
    limited_by: SizeLimit | str
    terms: tuple[Term, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    risk: Money | None = None

    @property
    def factor(self) -> Fraction:
        """What the risk of the trade was multiplied by in all."""
        return product(self.terms)

    @property
    def cuts(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.cuts)


def product(terms: tuple[Term, ...]) -> Fraction:
    """Exact: a few factors of two places each."""
    return Fraction(prod((term.factor for term in terms), start=WHOLE))


@dataclass(frozen=True, slots=True)
class Room:
    """What the whole account still carries of one more entry.

    Attributes
    ----------
    cost
        USD that it may cost; None where nothing is known that limits it.
    by
        The limit that is nearest.
    loss
        USD that it may lose at its stop in these hours; None in regular ones.
    """

    cost: Money | None
    by: str
    loss: Money | None = None


NO_LIMITS = Room(None, "")
