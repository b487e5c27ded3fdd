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
            return refused(self.name, f"the account is {desk.mode.value}, the settings say otherwise")
        if desk.mode is Mode.LIVE:
            return refused(self.name, "live trading is not open")
        return passed(self.name, "paper")
