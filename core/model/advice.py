"""What an adviser says: words, and where it has one the idea of a trade. A value; nobody can send it anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.model.values import ZERO, Price, Quantity, Symbol, is_number

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TradeIdea:
    """A trade on the long side, as somebody thought of it.

    Attributes
    ----------
    strategy
        Of the house, by whose rules it should be weighed; empty where the operator is to decide alone.
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
        """Whether its figures are numbers in their order, and there is something to buy."""
        figures = (self.stop, self.entry, self.target, self.quantity)
        return all(is_number(f) and f > ZERO for f in figures) and self.stop < self.entry < self.target


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that an adviser says, good for `valid_for` from when the desk hears it."""

    text: str
    idea: TradeIdea | None = None
    valid_for: timedelta = AN_HOUR


@dataclass(frozen=True, slots=True)
class AdviserFault:
    """An adviser that raised, hung, or said what cannot be read."""

    reason: str
