"""Entries stop for the week once the account's loss since last week's close reaches its limit (RK-03).

If the account's value is unknown, `risk.on_missing_equity` decides whether they stop.
"""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.account_loss import NAMES, loss_verdict
from core.risk.gate import Candidate, ReviewContext
from core.settings.risk import WEEKLY


class WeeklyLossCheck:
    """Shuts every entry; ends with the week, or an hour after a typed override until it has grown by half
    of the limit.
    """

    name = NAMES[WEEKLY]

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        opening = state.opening.opening_equity_of_week(state.day)
        return loss_verdict(WEEKLY, "this week", opening, state.settings.risk.weekly_loss.of(opening), state)
