"""An adviser's message: text, and optionally a trade idea. A plain value that no code sends as an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.model.values import ZERO, Price, Quantity, Symbol, is_number

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TradeIdea:
    """A suggested long trade.

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

    @property
    def is_sound(self) -> bool:
        """Whether its figures are numbers in the right order, with a quantity to buy."""
        figures = (self.stop, self.entry, self.target, self.quantity)
        return all(is_number(f) and f > ZERO for f in figures) and self.stop < self.entry < self.target


@dataclass(frozen=True, slots=True)
class Advice:
    """One message of an adviser, valid for `valid_for` from when the desk receives it."""

    text: str
    idea: TradeIdea | None = None
    valid_for: timedelta = AN_HOUR


@dataclass(frozen=True, slots=True)
class AdviserFault:
    """An adviser raised, hung, or returned something unreadable."""

    reason: str
