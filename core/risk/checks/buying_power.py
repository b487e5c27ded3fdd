"""The account can pay for it, after what is reserved for orders that its figures do not show yet (OP-03)."""

from __future__ import annotations

from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.account import Account, NoAccount
from core.model.order import OrderRequest
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, ClientOrderId
from core.risk.checks.verdicts import passed, refused, unmeasured, usd, without_equity
from core.risk.gate import Candidate, ReviewContext


class BuyingPowerCheck:
    """Shuts an entry that costs more than is free; ends with fewer shares, or when money comes back."""

    name = "buying power"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; needs none")
        if isinstance(state.account, NoAccount):
            return without_equity(self.name, f"buying power is not known: {state.account.reason}", state)
        if state.account.is_blocked:
            return refused(self.name, "the broker has blocked the account; ask the broker why")
        cost = candidate.cost(state.quote_of_now)
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        free = free_for(candidate.order, state.ledger, state.account)
        if cost > free:
            reserved = reserved_for_unseen(state.ledger, state.account, but=candidate.order.replaces)
            return refused(
                self.name,
                f"{usd(cost)} is over {usd(free)} free, {usd(reserved)} reserved",
            )
        return unsaid(self.name, lambda: f"{usd(cost)} of {usd(free)}")


def free_for(order: OrderRequest | None, ledger: Ledger, account: Account) -> Decimal:
    """USD of buying power that this order, or one that replaces nothing, may take.

    Less what others in flight will, and what it gives back itself.
    """
    if order is None:
        return account.buying_power - reserved_for_unseen(ledger, account)
    reserved = reserved_for_unseen(ledger, account, but=order.replaces)
    return account.buying_power - reserved + given_back(order, ledger, account)


def reserved_for_unseen(ledger: Ledger, account: Account, but: ClientOrderId | None = None) -> Decimal:
    """USD for entries in flight or in doubt, those acknowledged after the account's figures were taken, and what was
    filled of such since: the figures show neither the order nor what it bought.

    A short sale takes what a buy does. One that is to take another's place reserves only what it costs more than they
    show, or than is reserved, for that one; of `but` what is not filled is left out.
    """
    filled = (fill for fill in ledger.book.opened_since(account.at) if not _is_seen(fill.order, account))
    reserved = sum((fill.cost for fill in filled), ZERO)
    for order in ledger.working_entries():
        if _is_seen(order, account) or order.id == but:
            continue
        old = ledger.chains.replaced(order)
        reserved += max(order.cost_to_come - _counted(old, account), ZERO)
    return reserved


def given_back(order: OrderRequest, ledger: Ledger, account: Account) -> Decimal:
    """USD that the figures show as reserved for the order whose place this one takes: nothing is counted twice."""
    old = ledger.order(order.replaces) if order.replaces is not None else None
    if old is None or not old.is_working or old.only_reduces or not _is_seen(old, account):
        return ZERO
    return _shown(old)


def _counted(old: Order | None, account: Account) -> Decimal:
    """USD that count already for the order that makes way."""
    if old is None:
        return ZERO
    return _shown(old) if _is_seen(old, account) else old.cost_to_come


def _is_seen(order: Order, account: Account) -> bool:
    """Whether the broker held it when it gave these figures, and had reserved for it what it may cost."""
    was_there = order.submitted_at is not None and order.submitted_at < account.at
    return was_there and (order.ended_at is None or order.ended_at >= account.at)


def _shown(order: Order) -> Decimal:
    """USD that the broker holds back for an order that rests, at the least: the bid at which a short sale was measured
    may have fallen below its limit before it arrived.
    """
    return order.request.instrument.cost(order.remaining, order.request.limit_price or order.counted_price)
