"""The symbol's exchange has not halted it (MD-06)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class TradingHaltCheck:
    """Shuts entries in a symbol that its exchange has halted, and warns of an exit, which waits until the symbol
    trades; ends when the exchange resumes it, or a later minute of it has traded.
    """

    name = "trading halt"
    passes = passed(name, "none was heard")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        halt = state.halted.get(candidate.order.symbol)
        if halt is None:
            return self.passes
        since = state.venue.clock(halt.since)
        fate = "it would wait until it trades again, at whatever price that is"
        return refused(self.name, f"{halt.symbol} is halted since {since} ({halt.reason}): {fate}")
