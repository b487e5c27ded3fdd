"""Measure the usual spread: the median of fifteen minutes in a session, one quote each (RK-23).

The first quote of a minute represents it, so a burst of quotes has no more weight than a quiet minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from core.facts import SpreadMeasured
from core.messages.effects import Effect
from core.messages.inputs import QuoteArrived
from core.model.session import Session
from core.model.values import Fraction, Symbol
from core.settings.controls import ANY_SPREAD
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers

A_QUARTER = 15
"""Minutes that are sampled before their spread is recorded."""
MINUTE = 60


class SpreadSampling:
    """Samples since the last measurement are kept in memory only: a start begins a new quarter of an hour."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._minutes: dict[Symbol, int] = {}
        self._seen: dict[Symbol, list[Fraction]] = {}

    @answers(QuoteArrived)
    def on_quote(self, message: QuoteArrived) -> Iterable[Effect]:
        """Sample believable quotes while a collar uses spreads."""
        quote, state = message.quote, self.state
        minute = int(quote.at.timestamp()) // MINUTE
        if self._minutes.get(quote.symbol) == minute or state.sightings.quotes.get(quote.symbol) is not quote:
            return ()
        self._minutes[quote.symbol] = minute
        is_wanted = state.control.settings.risk.collar.spreads < ANY_SPREAD
        if not is_wanted or not isinstance(state.calendar.session_at(quote.at), Session):
            return ()
        seen = self._seen.setdefault(quote.symbol, [])
        seen.append(quote.spread)
        if len(seen) == A_QUARTER:
            del self._seen[quote.symbol]
            state.record(SpreadMeasured(quote.symbol, Fraction(median(seen))))
        return ()
