"""Entries stop for the day, or the week, when the account has lost its limit (RK-03)."""

from __future__ import annotations

from decimal import Decimal

from core.model.account import NoAccount
from core.model.staging import Verdict
from core.model.values import ZERO
from core.risk.checks.verdicts import passed, refused, usd, warned
from core.risk.gate import Candidate, ReviewContext


class DailyLossCheck:
    name = "daily loss"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        opening = desk.opening.opening_equity(desk.day)
        return _verdict(self.name, "day", opening, desk.settings.risk.daily_loss.of(opening), desk)


class WeeklyLossCheck:
    name = "weekly loss"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        opening = desk.opening.opening_equity_of_week(desk.day)
        return _verdict(self.name, "week", opening, desk.settings.risk.weekly_loss.of(opening), desk)


def _verdict(name: str, span: str, opening: Decimal | None, limit: Decimal | None, desk: ReviewContext) -> Verdict:
    missing = warned if desk.settings.risk.on_missing_equity == "allow" else refused
    if isinstance(desk.account, NoAccount):
        return missing(name, f"equity is not known: {desk.account.reason}")
    if opening is None:
        return missing(name, f"equity at the start of the {span} is not known, so no loss can be measured")
    if limit is None:
        return missing(name, "the limit is a share of an equity that is not known yet; wait a moment")
    loss = opening - desk.account.equity
    if loss >= limit:
        return refused(name, f"{usd(loss)} lost {'today' if span == 'day' else 'this week'}, the limit is {usd(limit)}")
    return passed(name, f"{usd(max(loss, ZERO))} of {usd(limit)}")
