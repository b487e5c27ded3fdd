"""Live trading only when both the settings and the environment ask for it (OP-10)."""

from __future__ import annotations

from core.model.account import Mode
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class ModeCheck:
    """Shuts every entry; ends with a start where both agree."""

    name = "mode"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if state.mode is Mode.LIVE and state.settings.account.mode is not Mode.LIVE:
            return refused(self.name, "the account is live and account.mode is paper; start the desk again")
        return passed(self.name, state.mode.value)
