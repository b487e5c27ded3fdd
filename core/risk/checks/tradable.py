"""The broker trades this symbol, and lends it where it is to be shorted (EX-11)."""

from __future__ import annotations

from core.model.instrument import NoInstrument
from core.model.order import Effect
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class TradableCheck:
    """Shuts orders in a symbol that the broker does not trade, or short where it lends none;
    ends when the broker says so.
    """

    name = "tradable"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        instrument = desk.instrument
        if isinstance(instrument, NoInstrument):
            return refused(self.name, f"{candidate.order.symbol}: {instrument.reason}")
        if not instrument.is_tradable:
            return refused(self.name, f"{instrument.symbol} is not tradable")
        if candidate.order.effect is Effect.SHORT and not (instrument.is_shortable and instrument.is_easy_to_borrow):
            return refused(self.name, f"{instrument.symbol} cannot be sold short")
        return passed(self.name, f"{instrument.symbol} is tradable")
