"""Entries locked by a protection are refused, each protection with its own reason (RK-09, RK-22)."""

from __future__ import annotations

from core.model.order import Side
from core.model.staging import Verdict
from core.risk.checks.verdicts import overridden_until, passed, refused, warned
from core.risk.gate import Candidate, ReviewContext
from core.risk.protections.base import Lock, Scope
from core.risk.protections.overrides import Override
from core.risk.protections.trades import Direction


class ProtectionCheck:
    """Ask one protection whether it locks the entry.

    Parameters
    ----------
    protection
        Its name: `max_drawdown`.
    """

    def __init__(self, protection: str) -> None:
        self.protection = protection
        self.name = protection.replace("_", " ")
        self._passes = passed(self.name, "not tripped")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        if not state.protections.by_name[self.protection].locks.by_scope:
            return self._passes
        direction = Direction.LONG if candidate.order.side is Side.BUY else Direction.SHORT
        found = state.protections.on_entry(
            self.protection, Scope(candidate.order.symbol, direction, candidate.strategy), state.at
        )
        if not found:
            return self._passes
        shut = [f"{lock.scope}: {lock.reason}, {lock.end(state.venue)}" for lock, override in found if override is None]
        if shut:
            return refused(self.name, "; ".join(shut))
        return warned(self.name, "; ".join(_passed_over(lock, override, state) for lock, override in found if override))


def _passed_over(lock: Lock, override: Override, state: ReviewContext) -> str:
    """Name each lock that passes only because of the operator's override (RK-06)."""
    return f"{lock.scope}: {lock.reason}; {overridden_until(override, state.at, state.venue)}"
