"""Entries per day and strategy are limited: filled, working and confirmed ones, over all symbols; none are allowed on a
day after SPY's range grew far over its average (RK-12).
"""

from __future__ import annotations

from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, refused
from core.risk.entries import entries_taken
from core.risk.gate import Candidate, ReviewContext
from core.risk.regime.frequency import entries_allowed


class TradeFrequencyCheck:
    """Shuts the strategy's entries; ends with the trading day, or when a working entry ends without a fill."""

    name = "trade frequency"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        risk, order = state.settings.risk, candidate.order
        allowance = entries_allowed(risk.entries_a_day, state.regime.market, state.day, risk.frequency)
        if allowance.is_shut:
            return refused(self.name, allowance.reason)
        if candidate.only_reduces:
            return passed(self.name, "closes; takes no entry")
        if order.replaces is not None:
            return passed(self.name, "takes the place of an entry that is counted")
        taken = entries_taken(candidate.strategy, state.day, state.ledger, state.signed, order.client_order_id)
        if taken.total < allowance.entries:
            return unsaid(
                self.name, lambda: f"{taken.total} of {allowance.entries} today before it; {allowance.reason}"
            )
        whose = "typed entries" if candidate.is_manual else f"entries of {candidate.strategy}"
        return refused(self.name, f"FULL, {taken.total} of {allowance.entries} {whose} today: {taken}")
