"""Figures of before a corporate action, per share of after it: the one place that rescales (MD-09)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, Price, Quantity

FINEST = Decimal("1e-9")
"""The smallest part of a share that a broker counts; a ratio such as 3 for 1 gives figures without an end."""
MOST = 1000
"""Old shares for new ones in the largest usual reverse split."""


ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Rescaling:
    """What one share of before is today: `ratio` shares, and `cash` USD beside them.

    A stop that sells a share of before at its price sells the same value today at ``(price - cash) / ratio``: by this
    a broker lowers stops by a dividend too (FINRA Rule 5330).
    """

    ratio: Decimal = ONE
    cash: Decimal = ZERO

    def price(self, before: Decimal) -> Price:
        """Return a price, USD, for a share of today; zero or less where the cash was worth more."""
        return Price(((before - self.cash) / self.ratio).quantize(FINEST).normalize())

    def known_price(self, before: Decimal | None) -> Price | None:
        return None if before is None else self.price(before)

    def distance(self, before: Decimal) -> Price:
        """Return a difference of two prices, USD, for a share of today."""
        return Price((before / self.ratio).quantize(FINEST).normalize())

    def known_distance(self, before: Decimal | None) -> Price | None:
        return None if before is None else self.distance(before)

    def shares(self, before: Decimal) -> Quantity:
        """Return a number of shares of before, as a volume, in shares of today."""
        return Quantity((before * self.ratio).quantize(FINEST).normalize())

    def then(self, after: Rescaling) -> Rescaling:
        """Return both, one after the other."""
        return Rescaling(self.ratio * after.ratio, self.cash + after.cash * self.ratio)


SAME = Rescaling()


def size_of(before: Price, after: Price) -> Decimal:
    """Return the ratio of two prices, at least 1."""
    return max(before, after) / min(before, after)


def ratio_in_words(ratio: Decimal) -> str:
    """As in `2 for 1`, `3 for 2`, `1 for 10`."""
    found = Fraction(ratio).limit_denominator(MOST)
    return f"{found.numerator} for {found.denominator}"
