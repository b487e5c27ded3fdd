"""Checks of how often a strategy or symbol is traded: repeated executions, trades of the day, day trades (RK-15)."""

from __future__ import annotations

from datetime import datetime

from core.model.staging import CheckResult, Verdict, unsaid
from core.risk.checks.losses import ProtectionCheck
from core.risk.day import entries_taken
from core.risk.gate import Candidate, ReviewContext, passed, refused
from core.risk.protections.frequency import GOES_ON, DayTrades, RepeatedExecution
from core.risk.protections.protection import EVERYTHING, Scope
from core.risk.regime import entries_allowed


class RepeatedExecutionCheck(ProtectionCheck):
    """A strategy filled too many entries in a symbol, or had its stop renewed too often, within minutes (RK-24).

    Checks the protection's lock, which does not expire; returns nothing while it is not tripped.
    """

    def __init__(self) -> None:
        super().__init__(RepeatedExecution.name)

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        protection = state.protections.repeated_execution
        if not protection.locks.by_scope or not state.protections.is_on(protection):
            return None
        lock = protection.locks.on(Scope(symbol=candidate.order.symbol, strategy=candidate.strategy), state.at)
        return None if lock is None else refused(self.name, f"{lock.scope}: {lock.reason}, until {GOES_ON}")


class TradeFrequencyCheck:
    """Entries per day and strategy are limited: filled, working and confirmed ones, over all symbols; none are allowed
    on a day after SPY's range grew far over its average (RK-12).

    Shuts the strategy's entries; ends with the trading day, or when a working entry ends without a fill.
    """

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


class DayTradesCheck(ProtectionCheck):
    """Another entry could exceed the day-trade limit: positions opened today count as if closed today (RK-15).

    Checks the protection's lock, and before it open trades that could become day trades.
    """

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
    coming = {(group.symbol, group.strategy) for group in state.ledger.entry_groups()}
    held_over = {(p.symbol, p.strategy) for p in state.ledger.positions() if not is_of_today(p.opened_at)}
    return len((today | coming) - held_over - {own})
