"""Figures of before a split, per share of after it: the one place that rescales (MD-09)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from core.model.values import Price, Quantity

FINEST = Decimal("1e-9")
"""The smallest part of a share that a broker counts; a ratio such as 3 for 1 gives figures without an end."""
MOST = 1000
"""Old shares for new ones in the largest usual reverse split."""


def price_now(before: Decimal, ratio: Decimal) -> Price:
    """Return a price, or a difference of prices, for a share of after the split.

    Parameters
    ----------
    before
        USD for a share of before.
    ratio
        New shares for one share.
    """
    return Price((before / ratio).quantize(FINEST).normalize())


def known_price_now(before: Decimal | None, ratio: Decimal) -> Price | None:
    return None if before is None else price_now(before, ratio)


def shares_now(before: Decimal, ratio: Decimal) -> Quantity:
    """Return a number of shares of before, as a volume, in shares of after the split."""
    return Quantity((before * ratio).quantize(FINEST).normalize())


def size_of(before: Price, after: Price) -> Decimal:
    """Return the ratio of two prices, at least 1."""
    return max(before, after) / min(before, after)


def ratio_in_words(ratio: Decimal) -> str:
    """As in `2 for 1`, `3 for 2`, `1 for 10`."""
    found = Fraction(ratio).limit_denominator(MOST)
    return f"{found.numerator} for {found.denominator}"
