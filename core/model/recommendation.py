"""Recommendations: trades that the operator adopted from an agent's draft for a strategy (OP-09, ST-04)."""

from __future__ import annotations

from datetime import datetime

from core.model.lazy_dataclass import dataclass
from core.model.values import Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class TradeIdea:
    """A trade of a text, in journals of earlier releases; today an agent drafts it.

    Attributes
    ----------
    strategy
        Built-in strategy whose rules should judge it; empty if the operator decides alone.
    entry, stop, target
        USD.
    """

    strategy: str
    symbol: Symbol
    entry: Price
    stop: Price
    target: Price
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A long trade.

    Attributes
    ----------
    strategy
        The strategy whose rules judge it.
    entry, stop, target
        USD: the limit to buy at, and the exit prices.
    expires_at
        UTC; a bar that ends later ignores it.
    source
        The source as shown to the operator.
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
        """Whether its figures are numbers in the right order, with a quantity to buy."""
        figures = (self.stop, self.entry, self.target, self.quantity)
        return all(f.is_finite() and f > 0 for f in figures) and self.stop < self.entry < self.target
