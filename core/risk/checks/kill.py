"""No entry is allowed while the desk is killed, halted or read-only (OP-07, EX-14)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class KillCheck:
    """Shuts every entry; ends with the operator's U, CLEAR or REARM, with reconciled books, or with reloaded limits."""

    name = "kill switch"
    passes = passed(name, "entries are on")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        refusal = state.control.refusal()
        return refused(self.name, refusal) if refusal else self.passes
