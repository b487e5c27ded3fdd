"""What advisers said, as the desk lists it, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.advice import TradeIdea


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One advice.

    Attributes
    ----------
    idea_in_words
        Empty where it names no trade.
    takes_it
        Whether the strategy that it names can adopt it; where not, `why_not` says why.
    is_adopted
        It waits for its strategy's next bar.
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
    """The advisory stream, the newest first.

    Attributes
    ----------
    advisers
        Those that are turned on, each with how it stands in words.
    oversteps
        How often one reached for trading: a higher number than last time rings the bell.
    """

    rows: tuple[AdviceRow, ...] = ()
    advisers: tuple[tuple[str, str], ...] = ()
    oversteps: int = 0


NO_ADVICE = AdviceView()
