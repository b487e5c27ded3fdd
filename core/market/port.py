"""What the live runtime asks of a source of market data. It knows no order and no account (MD-01)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived, TradingHaltHeard
from core.model.connection import ConnectionStatus
from core.model.quote import NoQuote, Quote
from core.model.values import Symbol

Heard = BarArrived | QuoteArrived | MarketDataBroken | TradingHaltHeard


class MarketData(Protocol):
    """Bars and quotes of the symbols that it was made for, and of those that it is to follow."""

    async def run(self, hear: Callable[[Heard], None], show: Callable[[ConnectionStatus], None]) -> None:
        """Stream first, polling where the stream fails, and back; gaps are filled. Runs until it is cancelled (MD-02).

        Each bar comes once and in the order of its symbol's minutes; quotes are conflated by symbol.
        """
        ...

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """These first, in their order of importance, then what it follows already. In the loop of `run`, or before."""
        ...

    def quote(self, symbol: Symbol) -> Quote | NoQuote:
        """The newest quote, asked for now; blocks for at most its time-out, and never raises (OP-03)."""
        ...

    def history(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        """One-minute bars from `start` to before `end`, in order of time; blocks. Raises `MarketDataError`."""
        ...


class MarketDataError(Exception):
    """History could not be had; the message says why and what to do."""
