"""Figures of before a split, per share of after it: the one place that rescales (MD-09)."""

from __future__ import annotations

from decimal import Decimal

from core.model.values import Price, Quantity

FINEST = Decimal("1e-9")
"""A ratio such as 3 for 1 gives prices without an end."""


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
