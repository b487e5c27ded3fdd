"""A bar: what traded in one minute, named by the minute's start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model.values import Price, Quantity, Symbol

ONE_MINUTE = timedelta(minutes=1)
BY_MINUTE, BY_SESSION = "1min", "1day"
"""What a bar is of, as the ids of its signals name it (EX-04)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One complete minute of one symbol.

    Attributes
    ----------
    start
        The minute's first instant, UTC; the bar is known at `end`, one minute later.
    volume
        Shares traded in the minute.
    """

    symbol: Symbol
    start: datetime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity

    @property
    def end(self) -> datetime:
        return self.start + ONE_MINUTE


@dataclass(frozen=True, slots=True)
class WholeSession:
    """Of a bar that is a whole session, and begins when that opens.

    Attributes
    ----------
    lasts
        From the session's open to its close: how long its prices took.
    heard_at
        When the engine hears of it, UTC: at the open of the next session, in which what it says can be acted upon.
    """

    lasts: timedelta
    heard_at: datetime
