"""Entries stop for the day, or the week, when the account lost its limit since the last close, or last week's (RK-03).

Without the account's value `risk.on_missing_equity` says whether they stop too.
"""

from __future__ import annotations

from decimal import Decimal

from core.model.account import NoAccount
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO
from core.risk.checks.verdicts import overridden_until, refused, usd, warned, without_equity
from core.risk.gate import Candidate, ReviewContext
from core.risk.protections.contract import GLOBAL
from core.risk.protections.latches import Override

DAILY, WEEKLY = "daily_loss", "weekly_loss"
"""Their names where trips and overrides are recorded."""
NAMES = {DAILY: "daily loss", WEEKLY: "weekly loss"}


class DailyLossCheck:
    """Shuts every entry; ends with the trading day, or an hour after a typed override until it has
    grown by half of the limit.
    """

    name = "daily loss"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        opening = desk.opening.opening_equity(desk.day)
        return _verdict(DAILY, "today", opening, desk.settings.risk.daily_loss.of(opening), desk)


class WeeklyLossCheck:
    """Shuts every entry; ends with the week, or an hour after a typed override until it has grown by half
    of the limit.
    """

    name = "weekly loss"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        opening = desk.opening.opening_equity_of_week(desk.day)
        return _verdict(WEEKLY, "this week", opening, desk.settings.risk.weekly_loss.of(opening), desk)


def _verdict(key: str, span: str, opening: Decimal | None, limit: Decimal | None, desk: ReviewContext) -> Verdict:
    name, latches = NAMES[key], desk.protections.latches
    if isinstance(desk.account, NoAccount):
        return without_equity(name, f"equity is not known: {desk.account.reason}", desk)
    if opening is None:
        return without_equity(name, f"equity at the start of {span} is not known, so no loss can be measured", desk)
    if limit is None:
        return without_equity(name, "the limit is a share of an equity that is not known yet; wait a moment", desk)
    loss = opening - desk.account.equity
    told = latches.told(key, GLOBAL)
    override = latches.passing(key, GLOBAL, told.since, desk.at) if told is not None else None
    if told is not None and override is not None and not override.ends_at(loss):
        return warned(name, f"{told.reason}; {overridden_until(override, desk.at, desk.venue)}{_again(override)}")
    if loss >= limit:
        return refused(name, f"{usd(loss)} lost {span}, the limit is {usd(limit)}")
    if told is not None:
        return refused(name, f"{told.reason}; shut until it ends, whatever was made good since")
    since = _since(key, desk)
    return unsaid(name, lambda: f"{usd(max(loss, ZERO))} of {usd(limit)}, {since}")


def _again(override: Override) -> str:
    return "" if override.again_at is None else f", shut again at {usd(override.again_at)} lost"


def _since(key: str, desk: ReviewContext) -> str:
    return desk.opening.since(desk.day) if key == DAILY else desk.opening.since_of_week(desk.day)
