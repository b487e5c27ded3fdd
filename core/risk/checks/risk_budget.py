"""If all stops filled at once, this order's included, the loss would stay within a part of equity (RK-21)."""

from __future__ import annotations

from core.model.staging import Verdict, unsaid
from core.risk.budget import at_stake, open_losses
from core.risk.checks.passing import would_pass
from core.risk.checks.verdicts import lacking, passed, refused, usd
from core.risk.gate import Candidate, ReviewContext


class RiskBudgetCheck:
    """Shuts an entry that would exceed the budget of all stops; ends when a stop is nearer, or a position is closed."""

    name = "risk budget"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no risk")
        price, farthest, equity = (
            candidate.price(state.quote_of_now),
            candidate.farthest(state.quote_of_now),
            state.equity,
        )
        if price is None or farthest is None or equity is None:
            return lacking(self.name, price, state)
        held = open_losses(state.ledger, state.last, candidate.order.replaces)
        limit = state.settings.risk.sizing.budget * equity
        total = held + candidate.order.risk(at_stake(price, farthest, candidate.stop))
        if total <= limit:
            return unsaid(self.name, lambda: f"{usd(total)} of {usd(limit)} at the stops")
        before = f"{usd(held)} before it, " if held else ""
        return refused(
            self.name,
            f"{usd(total)} would be lost at the stops, {before}over {usd(limit)}; {would_pass(candidate, state)}",
        )
