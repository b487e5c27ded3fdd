"""The loss at the stop stays within `risk.per_trade`, apart from the stop's rounding to its tick (RK-02).

Binding terms reduce the limit for every order, also for a manual size (RK-10, RK-11).
"""

from __future__ import annotations

from core.model.sizing import Term
from core.model.staging import StopPlan, Verdict, unsaid
from core.risk.checks.passing import would_pass
from core.risk.checks.verdicts import lacking, passed, refused, usd
from core.risk.gate import Candidate, ReviewContext
from core.risk.sizing_inputs import cuts_of, risk_of


class PerTradeLossCheck:
    """Shuts an entry that could lose too much at its stop; ends with the quantity that it names."""

    name = "loss at the stop"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no risk")
        if not isinstance(candidate.stop, StopPlan):
            return refused(self.name, "without a stop the loss has no bound; give it a stop price")
        price = candidate.farthest(state.quote_of_now)
        cuts = cuts_of(candidate, state)
        limit = risk_of(candidate, state, cuts)
        if price is None or limit is None:
            return lacking(self.name, price, state)
        order = candidate.order
        loss = order.risk(candidate.stop.way_from(price))
        if loss > limit and loss > limit + order.risk(order.instrument.ticks.at(price) / 2):  # half a tick is rounding
            return refused(
                self.name, f"{usd(loss)} is over {usd(limit)} a trade{_scaled_by(cuts)}; {would_pass(candidate, state)}"
            )
        return unsaid(self.name, lambda: f"{usd(loss)} of {usd(limit)}{_scaled_by(cuts)}")


def _scaled_by(cuts: tuple[Term, ...]) -> str:
    """Describe the reductions, as in `, at 0.5 throttle (5.20 of 10.00 USD lost today)`."""
    return ", at " + " × ".join(f"{term} ({term.words})" for term in cuts) if cuts else ""
