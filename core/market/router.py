"""Routes what a source hands over: is it for this desk, and to whom. It looks at kind and symbol, at nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.values import Symbol

MarketInput = BarArrived | QuoteArrived | MarketDataBroken


class Route(Enum):
    """Where an input of the market goes."""

    BAR = "bar"
    QUOTE = "quote"
    BROKEN = "broken"
    DROPPED = "dropped"


class Router:
    """Knows which symbols this desk subscribed to; what it drops is counted by symbol (MD-01, MD-03)."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self.symbols = frozenset(symbols)
        self.dropped: dict[Symbol, int] = {}

    def route(self, message: MarketInput) -> Route:
        """The room that takes the message."""
        if isinstance(message, BarArrived):
            return Route.BAR if message.bar.symbol in self.symbols else self._drop(message.bar.symbol)
        if isinstance(message, QuoteArrived):
            return Route.QUOTE if message.quote.symbol in self.symbols else self._drop(message.quote.symbol)
        return Route.BROKEN

    def _drop(self, symbol: Symbol) -> Route:
        self.dropped[symbol] = self.dropped.get(symbol, 0) + 1
        return Route.DROPPED
