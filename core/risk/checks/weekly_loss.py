"""Entries stop for the week when the account lost its limit since last week's close (RK-03).

Without the account's value `risk.on_missing_equity` says whether they stop too.
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
