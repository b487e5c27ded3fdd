"""A one-minute bar, identified by the minute's start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model.values import Price, Quantity, Symbol

ONE_MINUTE = timedelta(minutes=1)
BY_MINUTE, BY_SESSION = "1min", "1day"
"""The period of a bar, as in the ids of its signals (EX-04)."""


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
    """Timing of a bar that covers a whole session and starts at its open.

    Attributes
    ----------
    lasts
        From the session's open to its close: the time that its prices took.
    heard_at
        When the engine receives it, UTC: at the open of the next session, in which it can be acted upon.
    """

    lasts: timedelta
    heard_at: datetime
