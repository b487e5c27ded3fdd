"""An order is neither too small to be worth sending nor larger than the profile allows (EX-11)."""

from __future__ import annotations

from core.model.staging import Verdict, unsaid
from core.risk.checks.passing import would_pass
from core.risk.checks.verdicts import lacking, passed, refused, usd
from core.risk.gate import Candidate, ReviewContext


class NotionalCheck:
    """Shuts an entry larger or smaller than orders may be; ends with another quantity."""

    name = "notional"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; any size")
        notional = candidate.cost(state.quote_of_now)
        most = state.settings.risk.max_notional.of(state.equity)
        least = state.settings.risk.min_notional
        if notional is None or most is None:
            return lacking(self.name, notional, state)
        if notional > most:
            return refused(self.name, f"{usd(notional)} is over {usd(most)} an order; {would_pass(candidate, state)}")
        if notional < least:
            return refused(self.name, f"{usd(notional)} is under {usd(least)} an order; take more shares")
        return unsaid(self.name, lambda: f"{usd(notional)} of {usd(most)}")
