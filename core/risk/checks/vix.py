"""A high VIX warns and never refuses an entry by itself; it lowers the risk per trade (RK-10, RK-19)."""

from __future__ import annotations

from core.model.regime import NoVix, VixLevel
from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, warned
from core.risk.gate import Candidate, ReviewContext


class VixCheck:
    """Shuts nothing, warns while it is high; ends when it falls."""

    name = "vix"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        vix = state.regime.vix
        if candidate.only_reduces:
            return passed(self.name, "closes; no VIX speaks against it")
        if isinstance(vix, NoVix):
            return unsaid(self.name, lambda: f"not known: {vix.reason}")
        age = (state.day - vix.measured_on).days
        measured = f"{vix.value:.2f} at the close {age} d ago is {vix.level.value}"
        if vix.level is VixLevel.HIGH:
            return warned(self.name, f"{measured}: prices jump over stops, take less")
        return passed(self.name, measured)
