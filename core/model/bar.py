"""Market data: one-minute bars and quotes."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from core.model.lazy_dataclass import dataclass
from core.model.values import Fraction, Price, Quantity, Symbol

ONE_MINUTE = timedelta(minutes=1)
STALE_AFTER = timedelta(seconds=90)
"""Older data is marked as stale; minute bars alone renew it once a minute."""
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


class Feed(Enum):
    """Source of a quote; the simulated exchange derives its own around its last price."""

    RECORDED = "recorded"
    DERIVED = "derived"
    IEX = "iex"
    SIP = "sip"


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask in USD, their sizes in shares, and the time of the quote (UTC)."""

    symbol: Symbol
    at: datetime
    bid: Price
    bid_size: Quantity
    ask: Price
    ask_size: Quantity
    feed: Feed

    @property
    def mid(self) -> Price:
        return Price((self.bid + self.ask) / 2)

    @property
    def spread(self) -> Fraction:
        """Ask less bid as a fraction of mid."""
        return Fraction((self.ask - self.bid) / self.mid)

    def age(self, now: datetime) -> timedelta:
        return now - self.at

    def width(self) -> Decimal:
        """Ask less bid, USD."""
        return self.ask - self.bid


def on_one_exchange(quote: Quote | None) -> str:
    """Return the words behind a volume of one exchange's feed; empty where it is the volume of all (MD-01)."""
    return " on IEX alone" if quote is not None and quote.feed is Feed.IEX else ""


@dataclass(frozen=True, slots=True)
class NoQuote:
    """There is no quote, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class TradingHalt:
    """A halt of a symbol by its exchange (MD-06).

    `since` is the exchange's time, UTC; `reason` its text, as `Trading Halt, News Pending`.
    """

    symbol: Symbol
    since: datetime
    reason: str
