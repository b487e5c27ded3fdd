"""Another entry could exceed the day-trade limit: positions opened today count as if closed today (RK-15)."""

from __future__ import annotations

from datetime import datetime

from core.model.staging import CheckResult, Verdict
from core.risk.checks.protections import ProtectionCheck
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext
from core.risk.protections.base import EVERYTHING
from core.risk.protections.day_trades import DayTrades


class DayTradesCheck(ProtectionCheck):
    """Checks the protection's lock, and before it open trades that could become day trades."""

    def __init__(self) -> None:
        super().__init__(DayTrades.name)

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        verdict, protection = super().review(candidate, state), state.protections.day_trades
        if candidate.only_reduces or not protection.is_watched or not state.protections.is_on(protection):
            return verdict
        is_shut = verdict is None or verdict.standing is CheckResult.REFUSES
        if is_shut or protection.locks.on(EVERYTHING, state.at) is not None:
            return verdict
        counted, others = protection.counted(state.at), _others_of_today(candidate, state)
        limit = state.settings.risk.protections.day_trades.trade_limit
        if counted + others + 1 < limit:
            return verdict
        return refused(
            self.name, f"{counted} day trades, {others} trades of today may become some, {limit} are too many"
        )


def _others_of_today(candidate: Candidate, state: ReviewContext) -> int:
    """Count other trades that were opened today or may still open today."""

    def is_of_today(opened_at: datetime) -> bool:
        return state.venue.day_of(opened_at) == state.day

    own = (candidate.order.symbol, candidate.strategy)
    today = {(p.symbol, p.strategy) for p in state.ledger.positions() if is_of_today(p.opened_at)}
    coming = {(o.request.symbol, o.strategy) for o in state.ledger.working_entries()}
    held_over = {(p.symbol, p.strategy) for p in state.ledger.positions() if not is_of_today(p.opened_at)}
    return len((today | coming) - held_over - {own})
