"""Entries stop for the day once the account's loss since the last close reaches its limit (RK-03).

If the account's value is unknown, `risk.on_missing_equity` decides whether they stop.
"""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.account_loss import NAMES, loss_verdict
from core.risk.gate import Candidate, ReviewContext
from core.settings.risk import DAILY


class DailyLossCheck:
    """Shuts every entry; ends with the trading day, or an hour after a typed override until it has grown by half of the
    limit.
    """

    name = NAMES[DAILY]

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        opening = state.opening.opening_equity(state.day)
        return loss_verdict(DAILY, "today", opening, state.settings.risk.daily_loss.of(opening), state)
