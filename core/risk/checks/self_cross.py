"""An entry never trades against an order of one's own, nor is sent where the broker would take it to (RK-25)."""

from __future__ import annotations

from core.model.quote import NoQuote
from core.model.staging import Verdict
from core.risk.checks.verdicts import refused, unmeasured
from core.risk.gate import Candidate, ReviewContext
from core.risk.self_cross import crossed_by_entry, name_of


class SelfCrossCheck:
    """Shuts an entry that one's own resting order would meet; ends when that order is gone, or with another price."""

    name = "self-cross"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """An exit takes such an entry back first: its ticket says which. `risk.self_cross` switches it off."""
        if candidate.only_reduces or not state.settings.risk.self_cross.enabled:
            return None
        own = crossed_by_entry(
            candidate.order,
            state.ledger,
            state.quote,
            refuses_wash_trades=state.capabilities.refuses_wash_trades,
        )
        if own is None:
            return None
        if own.only_reduces and candidate.order.type.goes_at_once and isinstance(state.quote, NoQuote):
            return unmeasured(self.name, f"no quote, and your own {name_of(own)} rests", is_fresh=state.is_fresh)
        return refused(self.name, f"it would meet your own {name_of(own)}; cancel that first")
