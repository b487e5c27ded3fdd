"""What the stop would cost stays within the risk of one trade, the stop's rounding to its tick aside (RK-02)."""

from __future__ import annotations

from core.model.staging import StopPlan, Verdict
from core.model.values import tick_of
from core.risk.checks.verdicts import passed, refused, unmeasured, usd
from core.risk.gate import Candidate, ReviewContext


class PerTradeLossCheck:
    name = "loss at the stop"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no risk")
        if not isinstance(candidate.stop, StopPlan):
            return refused(self.name, "without a stop the loss has no bound; give it a stop price")
        price = candidate.price(desk.quote)
        limit = desk.settings.risk.per_trade.of(desk.equity)
        if price is None or limit is None:
            return unmeasured(self.name, "no price or no equity to measure it by", is_fresh=desk.is_fresh)
        loss = abs(price - candidate.stop.price) * candidate.order.quantity
        rounding = tick_of(price) / 2 * candidate.order.quantity
        if loss > limit + rounding:
            return refused(self.name, f"{usd(loss)} is over {usd(limit)} a trade; take fewer shares")
        return passed(self.name, f"{usd(loss)} of {usd(limit)}")
