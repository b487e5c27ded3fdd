"""Market quotes with time and feed, and trading halts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from core.model.values import Fraction, Price, Quantity, Symbol


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
