"""The live runtime's interface to a market data source. It knows no order and no account (MD-01)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived, TradingHaltHeard
from core.model.account import ConnectionStatus
from core.model.bar import NoQuote, Quote
from core.model.values import Symbol

Heard = BarArrived | QuoteArrived | MarketDataBroken | TradingHaltHeard


class MarketData(Protocol):
    """Bars and quotes of the symbols it was built for, and of those it is told to follow."""

    async def run(self, hear: Callable[[Heard], None], show: Callable[[ConnectionStatus], None]) -> None:
        """Stream first, polling when the stream fails, and back; gaps are filled. Runs until it is cancelled (MD-02).

        Each bar comes once and in the order of its symbol's minutes; quotes are conflated by symbol.
        """
        ...

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """Follow these symbols first, in order of importance, then the earlier ones.

        In the loop of `run`, or before.
        """
        ...

    def quote(self, symbol: Symbol) -> Quote | NoQuote:
        """Return a fresh quote; blocks for at most its time-out, and never raises (OP-03)."""
        ...

    def history(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        """Return one-minute bars from `start` to before `end`, in order of time; blocks. Raises `MarketDataError`."""
        ...


class MarketDataError(Exception):
    """No history could be fetched; the message has the reason and the remedy."""
