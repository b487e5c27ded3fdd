"""All entries of a day (filled, working, confirmed) stay within the profile's value limit (RK-23)."""

from __future__ import annotations

from core.model.staging import Verdict, unsaid
from core.risk.checks.passing import would_pass
from core.risk.checks.verdicts import lacking, passed, refused, usd
from core.risk.day_value import value_taken
from core.risk.gate import Candidate, ReviewContext


class DayValueCheck:
    """Shuts every entry that is worth more than is left of the day; ends with the trading day, with fewer shares, or
    when a working entry ends without a fill.
    """

    name = "day value"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        cap, order = state.settings.risk.max_day_value, candidate.order
        if cap.limits_nothing:
            return None
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no value")
        cost, most = candidate.cost(state.quote_of_now), cap.of(state.equity)
        if cost is None or most is None:
            return lacking(self.name, cost, state)
        taken = value_taken(state.day, state.day_value, state.ledger, state.confirmed, order).total
        total = taken + cost
        if total <= most:
            return unsaid(self.name, lambda: f"{usd(total)} of {usd(most)} today with it")
        if taken >= most:
            return refused(self.name, f"FULL, entries of {usd(taken)} today, {usd(most)} is the most a day")
        return refused(
            self.name,
            f"entries of today would be {usd(total)}, {usd(most)} is the most a day; {would_pass(candidate, state)}",
        )
