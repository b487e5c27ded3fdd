"""What the market says of a symbol: the best bid and offer, when they were made, by which feed; a halt of trading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from core.model.values import Fraction, Price, Quantity, Symbol


class Feed(Enum):
    """Where a quote comes from; a derived one is the simulated exchange's own, around its last price."""

    RECORDED = "recorded"
    DERIVED = "derived"
    IEX = "iex"
    SIP = "sip"


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask in USD, their sizes in shares, and the instant they were made (UTC)."""

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
    """The exchange trades a symbol no longer, and says why (MD-06).

    `since` is the exchange's time, UTC; `reason` its words, as `Trading Halt, News Pending`.
    """

    symbol: Symbol
    since: datetime
    reason: str
