"""Entries stop for the day when the account has lost its daily limit (RK-03)."""

from __future__ import annotations

from core.model.account import NoAccount
from core.model.staging import Verdict
from core.model.values import ZERO
from core.risk.checks.verdicts import passed, refused, usd, warned
from core.risk.gate import Candidate, ReviewContext


class DailyLossCheck:
    name = "daily loss"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        missing = warned if desk.settings.risk.on_missing_equity == "allow" else refused
        if isinstance(desk.account, NoAccount):
            return missing(self.name, f"equity is not known: {desk.account.reason}")
        loss = desk.opening.loss(desk.day, desk.account.equity)
        if loss is None:
            return missing(self.name, "equity at the start of the day is not known, so no loss can be measured")
        limit = desk.settings.risk.daily_loss.of(desk.opening.opening_equity(desk.day))
        if limit is None:
            return missing(self.name, "the limit is a share of an equity that is not known yet; wait a moment")
        if loss >= limit:
            return refused(self.name, f"{usd(loss)} lost today, the limit is {usd(limit)}")
        return passed(self.name, f"{usd(max(loss, ZERO))} of {usd(limit)}")
