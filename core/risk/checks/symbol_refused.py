"""No entry is allowed in a symbol that the operator refused for the day."""

from __future__ import annotations

from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class SymbolRefusedCheck:
    """Shuts entries in the symbol; ends with the trading day."""

    name = "symbol refused today"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        symbol = candidate.order.symbol
        if candidate.only_reduces:
            return passed(self.name, "closes; in any symbol")
        refusal = state.control.refusal_of(symbol, state.day)
        if refusal is None:
            return unsaid(self.name, lambda: f"{symbol} is not refused")
        return refused(self.name, f"no {symbol} for the rest of the day: {refusal.reason}")
