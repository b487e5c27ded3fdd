"""Jumps between a close and the next open that a split explains: prices of a file that are not adjusted for it."""

from __future__ import annotations

from decimal import Decimal

from core.model.rescaling import size_of
from core.model.values import Price

SPLITS = tuple(Decimal(many) for many in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100))
"""New shares for one old share; the inverse ratio is a reverse split."""
CLOSE_TO = Decimal("0.1")
"""Tolerance of a split's ratio, as a fraction of it.

Our choice: the market moves on the day of a split too. AAPL's of 2020-08-31 opened 2 % and USO's of 2020-04-29 6 % from
the ratio.
"""
LEAST_JUMP = SPLITS[0] * (1 - CLOSE_TO)
"""The ratio of the two prices, above 1, from which a jump may be a split."""


def split_of(before: Price, opened: Price) -> Decimal | None:
    """Return the new shares for one old share that explain a jump, below 1 for a reverse split; None if none do."""
    size = size_of(before, opened)
    if size < LEAST_JUMP:
        return None
    many = min(SPLITS, key=lambda each: abs(size / each - 1))
    if abs(size / many - 1) > CLOSE_TO:
        return None
    return many if before > opened else 1 / many
