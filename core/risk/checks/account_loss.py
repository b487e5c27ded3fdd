"""The account's loss since the start of the day or week, against a limit (RK-03). Both loss checks use it."""

from __future__ import annotations

from decimal import Decimal

from core.model.account import NoAccount
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO
from core.risk.checks.verdicts import overridden_until, refused, usd, warned, without_equity
from core.risk.gate import ReviewContext
from core.risk.protections.base import GLOBAL
from core.risk.protections.overrides import Override
from core.settings.risk import DAILY, WEEKLY

NAMES = {DAILY: "daily loss", WEEKLY: "weekly loss"}


def loss_verdict(key: str, span: str, opening: Decimal | None, limit: Decimal | None, state: ReviewContext) -> Verdict:
    name, latches = NAMES[key], state.protections.latches
    if isinstance(state.account, NoAccount):
        return without_equity(name, f"equity is not known: {state.account.reason}", state)
    if opening is None:
        return without_equity(name, f"equity at the start of {span} is not known, so no loss can be measured", state)
    if limit is None:
        return without_equity(name, "the limit is a share of an equity that is not known yet; wait a moment", state)
    loss = opening - state.account.equity
    told = latches.told(key, GLOBAL)
    override = latches.passing(key, GLOBAL, told.since, state.at) if told is not None else None
    if told is not None and override is not None and not override.ends_at(loss):
        return warned(name, f"{told.reason}; {overridden_until(override, state.at, state.venue)}{_again(override)}")
    if loss >= limit:
        return refused(name, f"{usd(loss)} lost {span}, the limit is {usd(limit)}")
    if told is not None:
        return refused(name, f"{told.reason}; shut until it ends, whatever was made good since")
    since = _since(key, state)
    return unsaid(name, lambda: f"{usd(max(loss, ZERO))} of {usd(limit)}, {since}")


def _again(override: Override) -> str:
    return "" if override.again_at is None else f", shut again at {usd(override.again_at)} lost"


def _since(key: str, state: ReviewContext) -> str:
    return state.opening.since(state.day) if key == DAILY else state.opening.since_of_week(state.day)
