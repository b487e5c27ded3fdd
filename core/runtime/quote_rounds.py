"""The quotes of the simulated exchange as a stream: each one as it changes, while the market is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from core.brokers.simulated.exchange import SimulatedExchange
from core.messages.inputs import QuoteArrived
from core.model.calendar import Calendar
from core.model.quote import Quote
from core.model.session import Session
from core.model.values import Price, Symbol


class QuoteRounds:
    """`next_at` is the time of the next round.

    Parameters
    ----------
    symbols
        The symbols to quote, called in every round.
    every
        The interval between two rounds.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        calendar: Calendar,
        symbols: Callable[[], Iterable[Symbol]],
        every: timedelta,
        start: datetime,
    ) -> None:
        self._exchange = exchange
        self._calendar = calendar
        self._symbols = symbols
        self._every = every
        self._told: dict[Symbol, tuple[Price, Price]] = {}
        self.next_at = start

    def look(self, at: datetime) -> Iterator[QuoteArrived]:
        """Yield the quotes that changed since the last round.

        The next round is after the interval, or at the next open.
        """
        if not isinstance(self._calendar.session_at(at), Session):
            self.next_at = self._calendar.next_session(at).open
            return
        self.next_at = at + self._every
        for symbol in self._symbols():
            quote = self._exchange.quote(at, symbol)
            if isinstance(quote, Quote) and self._told.get(symbol) != (quote.bid, quote.ask):
                self._told[symbol] = (quote.bid, quote.ask)
                yield QuoteArrived(quote)
