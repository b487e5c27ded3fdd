"""The market is open, and the broker's clock and ours agree (EX-11)."""

from __future__ import annotations

from core.model.session import NoSession
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused, warned
from core.risk.gate import Candidate, ReviewContext


class SessionCheck:
    name = "session and clock"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if isinstance(desk.session, NoSession):
            return refused(self.name, f"the market is closed: {desk.session.reason}")
        if desk.broker_time is None:
            return passed(self.name, "open; the broker's clock is asked at confirmation")
        skew = abs((desk.broker_time - desk.at).total_seconds())
        if skew > desk.settings.risk.clock_skew_seconds:
            return warned(self.name, f"the broker's clock differs by {skew:.1f} s; set this machine's clock")
        return passed(self.name, "open")
