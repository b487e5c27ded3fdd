"""Nothing opens while the desk is killed, halted or read-only (OP-07, EX-14)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class KillCheck:
    """Shuts every entry; ends by the operator's own act: U, CLEAR or REARM, books that agree, limits read anew."""

    name = "kill switch"
    passes = passed(name, "entries are on")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        refusal = state.control.refusal()
        return refused(self.name, refusal) if refusal else self.passes
