"""Route a source's messages by kind and symbol alone."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.values import Symbol

MarketInput = BarArrived | QuoteArrived | MarketDataBroken


class Route(Enum):
    """Destination of a market input."""

    BAR = "bar"
    QUOTE = "quote"
    BROKEN = "broken"
    DROPPED = "dropped"


class Router:
    """Routes messages of the subscribed symbols; dropped ones are counted by symbol (MD-01, MD-03)."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self.symbols = frozenset(symbols)
        self.dropped: dict[Symbol, int] = {}

    def route(self, message: MarketInput) -> Route:
        """Return the destination of a message."""
        if isinstance(message, BarArrived):
            return Route.BAR if message.bar.symbol in self.symbols else self._drop(message.bar.symbol)
        if isinstance(message, QuoteArrived):
            return Route.QUOTE if message.quote.symbol in self.symbols else self._drop(message.quote.symbol)
        return Route.BROKEN

    def _drop(self, symbol: Symbol) -> Route:
        self.dropped[symbol] = self.dropped.get(symbol, 0) + 1
        return Route.DROPPED
