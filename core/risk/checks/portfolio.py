"""All positions stay within the profile's exposure and leave its reserve free; over the limit only
exits pass (RK-16).
"""

from __future__ import annotations

from decimal import Decimal

from core.model.account import Account
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, percent
from core.risk.checks.buying_power import free_for
from core.risk.checks.verdicts import passed, refused, unmeasured, usd, without_equity
from core.risk.gate import Candidate, ReviewContext


class PortfolioCheck:
    """Shuts every entry that takes more than is left; ends when positions are closed, or with fewer shares."""

    name = "portfolio"
    passes = passed(name, "no limit is set")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        terms, account = state.settings.risk.portfolio, state.account
        if candidate.only_reduces:
            return passed(self.name, "closes; makes room")
        if terms.limits_nothing:
            return self.passes
        if not isinstance(account, Account):
            return without_equity(self.name, "equity and buying power are not known yet", state)
        equity = account.equity
        if equity <= ZERO:
            return refused(self.name, "no equity is left: exits only")
        cost = candidate.cost(state.quote_of_now)
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        held = state.exposure(candidate.order)[1]
        refusal = None
        if held + cost > terms.max_exposure * equity:
            refusal = _exposed(held / equity, (held + cost) / equity, terms.max_exposure)
        elif terms.reserve:
            refusal = _spent(free_for(candidate.order, state.ledger, account), cost, terms.reserve)
        if refusal is not None:
            return refused(self.name, refusal)
        return unsaid(self.name, lambda: f"exposure {percent((held + cost) / equity)} of equity with it")


def _exposed(before: Decimal, after: Decimal, most: Decimal) -> str:
    if before > most:
        return f"exposure {percent(before)} of equity is over {percent(most)}: exits only"
    return f"exposure would be {percent(after)} of equity, {percent(most)} is the most; take fewer shares"


def _spent(free: Decimal, cost: Decimal, reserve: Decimal) -> str | None:
    if free - cost >= reserve:
        return None
    if free < reserve:
        return f"{usd(free)} of buying power are free, under the reserve of {usd(reserve)}: exits only"
    return f"it would leave {usd(free - cost)} of buying power, the reserve is {usd(reserve)}; take fewer shares"
