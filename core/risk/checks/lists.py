"""No entry is allowed in a listed symbol: never trade, close only, or restricted until a day (RK-26)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext


class ListsCheck:
    """Shuts entries in the symbol, and warns of an exit; ends on the named day, or with a typed word."""

    name = "lists"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        found = state.lists.on(candidate.order.symbol, state.day)
        if not found:
            return None
        return refused(self.name, "; ".join(f"{listed.symbol} is on {listed.words}" for listed in found))
