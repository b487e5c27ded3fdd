"""A strategy's entries stay within its share of equity, and each position within its part of that share (ST-08)."""

from __future__ import annotations

from decimal import Decimal

from core.model.staging import Verdict, unsaid
from core.model.values import exact_percent
from core.risk.allocation import Capital, Share, capital_of
from core.risk.checks.passing import would_pass
from core.risk.checks.verdicts import lacking, refused, usd
from core.risk.gate import Candidate, ReviewContext


class AllocationCheck:
    """Shuts an entry that takes more than its strategy has left; ends when a position is closed, or with
    fewer shares.
    """

    name = "allocation"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None if the strategy has no share: there is nothing to check."""
        share = state.allocations.of(candidate.strategy)
        if share is None or candidate.only_reduces:
            return None
        price = candidate.price(state.quote_of_now)
        if price is None or state.equity is None:
            return lacking(self.name, price, state)
        order = candidate.order
        capital = capital_of(share, candidate.strategy, order.symbol, state.ledger, state.equity, order)
        cost = order.cost(price)
        if cost > capital.left:
            said = f"exceeds strategy allocation: {_over(capital, share, candidate.strategy, cost)}"
            return refused(self.name, f"{said}; {would_pass(candidate, state)}")
        return unsaid(self.name, lambda: f"{usd(capital.taken + cost)} of {usd(capital.allocated)} with it")


def _over(capital: Capital, share: Share, strategy: str, cost: Decimal) -> str:
    """Name the limit that is exceeded."""
    if capital.taken + cost > capital.allocated:
        return (
            f"{strategy} would use {usd(capital.taken + cost)} of {usd(capital.allocated)}, "
            f"{exact_percent(share.allocation)} of equity"
        )
    return (
        f"the position would cost {usd(capital.in_symbol + cost)} of {usd(capital.of_a_position)}, "
        f"{exact_percent(share.position_part)} of what {strategy} has"
    )
