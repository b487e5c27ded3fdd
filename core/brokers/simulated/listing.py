"""The instruments of the simulated exchange, and their margin requirements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.brokers.simulated.config import ExchangeConfig
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.values import Symbol


class Listing:
    """The tradable instruments; None lets every symbol trade by the default rules."""

    def __init__(self, config: ExchangeConfig, instruments: Mapping[Symbol, BrokerInstrument] | None) -> None:
        self._config = config
        self._instruments = instruments

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        """Return an instrument with its own margin requirement, or else the exchange's rule."""
        found = BrokerInstrument(symbol) if self._instruments is None else self._instruments.get(symbol)
        if found is None:
            return NoInstrument(f"{symbol} is not listed here", unlisted=symbol)
        if not self._config.is_margin:
            return found
        rule = self._config.requirement
        return replace(
            found,
            long_requirement=rule if found.long_requirement is None else found.long_requirement,
            short_requirement=rule if found.short_requirement is None else found.short_requirement,
        )

    def traded(self, symbol: Symbol) -> Instrument:
        """Return the instrument for the ledger, listed or not."""
        return share(symbol) if self._instruments is None else self._instruments.get(symbol, share(symbol))
