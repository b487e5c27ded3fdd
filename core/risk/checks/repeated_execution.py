"""A strategy filled too many entries in a symbol, or had its stop renewed too often, within minutes (RK-24)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.protections import ProtectionCheck
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext
from core.risk.protections.base import Scope
from core.risk.protections.repeated_execution import GOES_ON, RepeatedExecution


class RepeatedExecutionCheck(ProtectionCheck):
    """Checks the protection's lock, which does not expire; returns nothing while it is not tripped."""

    def __init__(self) -> None:
        super().__init__(RepeatedExecution.name)

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        protection = state.protections.repeated_execution
        if not protection.locks.by_scope or not state.protections.is_on(protection):
            return None
        lock = protection.locks.on(Scope(symbol=candidate.order.symbol, strategy=candidate.strategy), state.at)
        return None if lock is None else refused(self.name, f"{lock.scope}: {lock.reason}, until {GOES_ON}")
