"""The account can pay for it, after what is reserved for orders that its figures do not show yet (OP-03)."""

from __future__ import annotations

from decimal import Decimal

from core.execution.ledger import Ledger
from core.model.account import Account, NoAccount
from core.model.order import Side
from core.model.staging import Verdict
from core.model.values import ZERO
from core.risk.checks.verdicts import passed, refused, unmeasured, usd
from core.risk.gate import Candidate, ReviewContext


class BuyingPowerCheck:
    name = "buying power"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; needs none")
        if isinstance(desk.account, NoAccount):
            return refused(self.name, f"no account figures: {desk.account.reason}")
        if desk.account.is_blocked:
            return refused(self.name, "the broker has blocked the account")
        price = candidate.price(desk.quote)
        if price is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=desk.is_fresh)
        reserved = reserved_for_unseen(desk.ledger, desk.account)
        free = desk.account.buying_power - reserved
        cost = price * candidate.order.quantity
        if cost > free:
            return refused(self.name, f"{usd(cost)} is over {usd(free)} free, {usd(reserved)} being reserved")
        return passed(self.name, f"{usd(cost)} of {usd(free)}")


def reserved_for_unseen(ledger: Ledger, account: Account) -> Decimal:
    """USD for buys in flight or in doubt, and those acknowledged after the account's figures were taken."""
    return sum(
        (
            order.remaining * (order.request.limit_price or order.intended_price or ZERO)
            for order in ledger.working_entries()
            if order.request.side is Side.BUY and (order.submitted_at is None or order.submitted_at >= account.at)
        ),
        ZERO,
    )
