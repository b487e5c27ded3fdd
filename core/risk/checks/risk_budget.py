"""All stops filled at once cost at most a part of equity, this order's included (RK-21)."""

from __future__ import annotations

from core.model.staging import StopPlan, Verdict
from core.risk.budget import open_losses
from core.risk.checks.passing import would_pass
from core.risk.checks.verdicts import passed, refused, unmeasured, usd
from core.risk.gate import Candidate, ReviewContext


class RiskBudgetCheck:
    """Shuts an entry that all stops together could not carry; ends when a stop is nearer, or a position is closed."""

    name = "risk budget"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no risk")
        price, equity = candidate.price(desk.quote), desk.equity
        if price is None or equity is None:
            return unmeasured(self.name, "no price or no equity to measure it by", is_fresh=desk.is_fresh)
        held = open_losses(desk.ledger, desk.last, candidate.order.replaces)
        limit = desk.settings.risk.sizing.budget * equity
        way = candidate.stop.way_from(price) if isinstance(candidate.stop, StopPlan) else price
        total = held + way * candidate.order.quantity
        if total <= limit:
            return passed(self.name, f"{usd(total)} of {usd(limit)} at the stops")
        before = f"{usd(held)} before it, " if held else ""
        return refused(
            self.name,
            f"{usd(total)} would be lost at the stops, {before}over {usd(limit)}; {would_pass(candidate, desk)}",
        )
