"""No entry on a day before which SPY's range had grown far over its average (RK-12)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext
from core.risk.regime.frequency import entries_allowed


class TradeFrequencyCheck:
    """Shuts the strategy's entries; ends with the New York day."""

    name = "trade frequency"

    def review(self, _candidate: Candidate, desk: ReviewContext) -> Verdict:
        risk = desk.settings.risk
        allowance = entries_allowed(risk.entries_a_day, desk.regime.market, desk.day, risk.frequency)
        found = refused if allowance.is_shut else passed
        return found(self.name, allowance.reason)
