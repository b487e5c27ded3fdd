"""What somebody else advises and the operator adopted: a whole trade, to be taken as it is or not at all (ST-04)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.values import Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A trade on the long side.

    Attributes
    ----------
    strategy
        Whose rules it is weighed by.
    entry, stop, target
        USD: the limit to buy at, and where the trade ends.
    expires_at
        UTC; a bar that ends later makes nothing of it.
    source
        Who advised it, as the operator saw it.
    """

    strategy: str
    symbol: Symbol
    entry: Price
    stop: Price
    target: Price
    quantity: Quantity
    expires_at: datetime
    source: str

    @property
    def is_sound(self) -> bool:
        """Whether its figures are numbers in their order, and there is something to buy."""
        figures = (self.stop, self.entry, self.target, self.quantity)
        return all(f.is_finite() and f > 0 for f in figures) and self.stop < self.entry < self.target
