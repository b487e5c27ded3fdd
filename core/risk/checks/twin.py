"""An entry like one of the last seconds may be a mistake: the same symbol, side, quantity and price (RK-25)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import warned
from core.risk.gate import Candidate, ReviewContext
from core.risk.recent_entries import TWIN, WORD


class TwinCheck:
    """Shuts such an entry until its confirmation word is typed; ends with the seconds, or with other terms.

    The check itself only warns: the confirmation asks for the word and checks it. A basket has no word per order, so
    there such an entry is refused. `risk.twins` sets the limits.
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
