"""An entry that is like one of the last seconds may be a slip: the same symbol, side, quantity and price (RK-25)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import warned
from core.risk.gate import Candidate, ReviewContext
from core.risk.recent_entries import TWIN, WORD


class TwinCheck:
    """Shuts such an entry until its own word is typed; ends with the seconds, or with other terms.

    Here it warns: the word is asked for, and judged, at the key. In a basket, where no order has a word of its own, it
    is refused. `risk.twins` says what is like.
    """

    name = TWIN

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        if candidate.only_reduces or not state.recent.state.by_symbol:
            return None
        price = candidate.price(state.quote)
        seen = state.recent.twin_of(candidate.order, price, state.ledger, state.at, state.settings.risk.twins)
        if seen is None:
            return None
        return warned(
            self.name, f"like {seen.in_words(candidate.order.symbol, state.venue)}: type {WORD} before its key"
        )
