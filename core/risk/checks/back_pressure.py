"""No further entry is staged while too many orders wait for the broker's answer (EX-15).

Strategies decline with BACK_PRESSURE instead; this check is for manual orders.
"""

from __future__ import annotations

from core.execution.ledger import Ledger
from core.model.order import OrderStatus
from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class BackPressureCheck:
    """Shuts every entry; ends when the broker has answered enough of them."""

    name = "back-pressure"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; waits for none")
        queued, most = queued_orders(state.ledger), state.settings.execution.max_queued
        if queued > most:
            return refused(self.name, f"{queued} orders wait for the broker's answer, more than {most}")
        return unsaid(self.name, lambda: f"{queued} of {most} wait for an answer")


def queued_orders(ledger: Ledger) -> int:
    """Count pending orders without an answer; orders in doubt are looked up and do not count."""
    return len([o for o in ledger.working() if o.status is OrderStatus.PENDING and o.in_doubt_since is None])
