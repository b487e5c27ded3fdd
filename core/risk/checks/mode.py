"""Paper unless both live gates are open; this version trades on paper alone (OP-10)."""

from __future__ import annotations

from core.model.account import Mode
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class ModeCheck:
    name = "mode"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if desk.mode is not desk.settings.account.mode:
            return refused(
                self.name,
                f"this desk runs {desk.mode.value}, and account.mode in the settings differs; start it again",
            )
        if desk.mode is Mode.LIVE:
            return refused(self.name, "live trading is not open")
        return passed(self.name, "paper")
