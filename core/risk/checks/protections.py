"""Entries that a protection shut out are refused, each protection with its own reason (RK-09, RK-22)."""

from __future__ import annotations

from core.model.order import Side
from core.model.staging import Verdict
from core.risk.checks.verdicts import overridden_until, passed, refused, warned
from core.risk.gate import Candidate, ReviewContext
from core.risk.protections.base import Scope
from core.risk.protections.trades import Direction


class ProtectionCheck:
    """One protection's question.

    Parameters
    ----------
    protection
        Its name: `max_drawdown`.
    """

    def __init__(self, protection: str) -> None:
        self.protection = protection
        self.name = protection.replace("_", " ")
        self._passes = passed(self.name, "not tripped")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if not state.protections.by_name[self.protection].locks.by_scope:
            return self._passes
        if state.protections.shuts_nothing(self.protection, state.at):
            return self._passes
        direction = Direction.LONG if candidate.order.side is Side.BUY else Direction.SHORT
        entry = Scope(candidate.order.symbol, direction, candidate.strategy)
        locks = state.protections.locks_on(self.protection, entry, state.at)
        if not locks:
            return self._overridden(entry, state)
        return refused(self.name, "; ".join(f"{lock.scope}: {lock.reason}, {lock.end(state.venue)}" for lock in locks))

    def _overridden(self, entry: Scope, state: ReviewContext) -> Verdict:
        """What passes for the operator's word alone is said of each guard (RK-06)."""
        said = [
            f"{lock.scope}: {lock.reason}; {overridden_until(override, state.at, state.venue)}"
            for lock, override in state.protections.overridden_on(self.protection, entry, state.at)
        ]
        return warned(self.name, "; ".join(said)) if said else self._passes
