"""The broker trades this symbol, and lends it for a short sale (EX-11)."""

from __future__ import annotations

from core.model.instrument import Instrument, NoInstrument
from core.model.order import Effect
from core.model.staging import Verdict, unsaid
from core.model.values import plain
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext


class TradableCheck:
    """Shuts orders in a symbol that the broker does not trade, entries that this desk does not support, and short sales
    without shares to borrow; ends when the broker allows it.
    """

    name = "tradable"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        instrument = state.instrument
        if isinstance(instrument, NoInstrument):
            return refused(self.name, f"{candidate.order.symbol}: {instrument.reason}")
        if not instrument.is_tradable:
            return refused(self.name, f"{instrument.symbol} is not tradable")
        if lacking := state.capabilities.lacking(candidate.order) or state.capabilities.lacking_to_guard(
            candidate.stop
        ):
            return refused(self.name, f"this broker {lacking}")
        if not candidate.only_reduces and instrument.class_refused:
            return refused(self.name, instrument.class_refused)
        if candidate.order.instrument.multiplier != instrument.multiplier:
            return refused(self.name, _miscounted(candidate.order.instrument, instrument))
        if candidate.order.effect is Effect.SHORT and instrument.short_refused:
            return refused(self.name, instrument.short_refused)
        return unsaid(self.name, lambda: f"{instrument.symbol} is tradable")


def _miscounted(ours: Instrument, theirs: Instrument) -> str:
    """Describe a multiplier that differs from the ticket's, which would change cost and profit."""
    one, other = plain(ours.multiplier), plain(theirs.multiplier)
    return f"the order counts {one} times the price of {ours.symbol}, the broker {other} times; stage it again"
