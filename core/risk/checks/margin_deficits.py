"""Days with a margin deficit are counted: one before the limit warns, at the limit no more borrowing is allowed
(RK-14).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.model.account import Account
from core.model.order import Effect
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, Money
from core.risk.checks.verdicts import passed, refused, unmeasured, usd, warned
from core.risk.gate import Candidate, ReviewContext


class MarginDeficitsCheck:
    """Shuts entries that borrow or sell short; ends when the oldest counted deficit leaves the window."""

    name = "margin deficits"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None without an account: the margin check reports that."""
        terms, account = state.settings.risk.margin, state.account
        if not terms.counts_deficits or not isinstance(account, Account):
            return None
        if candidate.only_reduces:
            return passed(self.name, "closes; borrows nothing")
        if not account.lends:
            return passed(self.name, "a cash account borrows nothing")
        days, most = state.margin.deficits_within(terms.deficit_days, state.day), terms.deficit_limit
        if len(days) < most - 1:
            return unsaid(self.name, lambda: f"{len(days)} of {most} days in {terms.deficit_days}")
        told = f"margin deficits on {', '.join(f'{day:%d %b}' for day in days[-most:])}"
        if len(days) < most:
            return warned(self.name, f"{told}; one more within {terms.deficit_days} days may bring a freeze")
        cost, ends = candidate.cost(state.quote_of_now), days[-most] + timedelta(days=terms.deficit_days)
        if candidate.order.effect is Effect.SHORT:
            return refused(self.name, f"{told}: nothing is sold short until {ends:%d %b}")
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        cash = cash_left(candidate, state, account)
        if cash is None:
            return unmeasured(self.name, "no price of what is held short", is_fresh=state.is_fresh)
        if cost > cash:
            return refused(
                self.name, f"{told}: nothing is borrowed until {ends:%d %b}; {usd(cost)} is over {usd(cash)} of cash"
            )
        return warned(self.name, f"{told}; this one is paid in cash")


def cash_left(candidate: Candidate, state: ReviewContext, account: Account) -> Money | None:
    """Return USD of the account's cash, less the cost of other working entries and of fills since the account was read.

    Proceeds of short sales are owed, so the value of the shorted shares is subtracted. Equity is a second bound,
    because cash less all shorts equals equity less long positions. None if a price is unknown.
    """
    shorts = shorts_of(state)
    if shorts is None:
        return None
    left_out = (candidate.order.client_order_id, candidate.order.replaces)
    working = sum((o.cost_to_come for o in state.ledger.working_entries() if o.id not in left_out), ZERO)
    filled = sum((fill.cost for fill in state.ledger.book.opened_since(account.at)), ZERO)
    own = min(account.cash - shorts, account.equity)
    return Money(max(own - working - filled, ZERO))


def shorts_of(state: ReviewContext) -> Decimal | None:
    """Return the value of all shorted shares at their last prices, in USD; None if a price is unknown."""
    worth = ZERO
    for position in state.ledger.positions():
        if position.quantity >= ZERO:
            continue
        last = state.prices(position.symbol)
        if last is None:
            return None
        worth += position.instrument.notional(abs(position.quantity), last[1])
    return worth
