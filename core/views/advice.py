"""Advice as the desk lists it, with its state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.recommendation import TradeIdea


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One advice.

    Attributes
    ----------
    idea_in_words
        Empty if it names no trade.
    takes_it
        Whether the strategy that it names can adopt it; if not, `why_not` has the reason.
    is_adopted
        Whether it waits for its strategy's next bar.
    """

    number: int
    adviser: str
    at: datetime
    text: str
    idea: TradeIdea | None
    idea_in_words: str
    expires_at: datetime
    is_adopted: bool = False
    takes_it: bool = False
    why_not: str = ""

    @property
    def key(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class AdviceView:
    """The advisory stream, newest first.

    Attributes
    ----------
    advisers
        The advisers that are turned on, each with its state as text.
    oversteps
        Count of attempts to trade: the bell rings when it grows.
    """

    rows: tuple[AdviceRow, ...] = ()
    advisers: tuple[tuple[str, str], ...] = ()
    oversteps: int = 0


NO_ADVICE = AdviceView()
