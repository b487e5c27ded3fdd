"""Nothing opens while the broker does not answer as it should: its breaker is open (EX-15)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class BreakerCheck:
    """Shuts every entry; ends when its time is over and one entry is answered well, or when the operator clears it."""

    name = "breaker"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; passes an open one")
        refusal = desk.breaker.refusal(desk.at)
        if refusal is not None:
            return refused(self.name, refusal)
        return passed(self.name, f"{desk.breaker.phase(desk.at).value}; the broker answers")
