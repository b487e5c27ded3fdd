"""No entry is allowed while the broker's circuit breaker is open (EX-15)."""

from __future__ import annotations

from core.execution.breaker import BreakerPhase
from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class BreakerCheck:
    """Shuts every entry; ends when its time has passed and one entry is answered well, or when the
    operator clears it.
    """

    name = "breaker"
    passes = passed(name, "closed; the broker answers")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        phase = state.breaker.phase(state.at)
        if phase is BreakerPhase.CLOSED and not candidate.only_reduces:
            return self.passes
        refusal = state.breaker.refusal(state.at)
        if candidate.only_reduces:
            return self._of_an_exit(refusal, state.breaker.state.failures)
        if refusal is not None:
            return refused(self.name, refusal)
        return unsaid(self.name, lambda: f"{phase.value}; the broker answers")

    def _of_an_exit(self, refusal: str | None, failures: int) -> Verdict:
        """Exits are never blocked; the ticket warns that no answer may come (RK-22)."""
        if refusal is None and not failures:
            return self.passes
        why = refusal or f"{failures} in a row without an answer"
        return refused(self.name, f"{why}; this one goes out, and is in doubt until the broker answers")
