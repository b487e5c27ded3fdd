"""The account can pay for the entry, after reserves for orders that its figures do not show yet (OP-03)."""

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
    """Shuts an entry that costs more than is free; ends with fewer shares, or when buying power is released."""

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
    """Return the buying power in USD that `order`, or any new order if None, may use.

    Amounts reserved for other orders in flight are subtracted; the amount that `order` releases itself is added.
    """
    if order is None:
        return account.buying_power - reserved_for_unseen(ledger, account)
    reserved = reserved_for_unseen(ledger, account, but=order.replaces)
    return account.buying_power - reserved + given_back(order, ledger, account)


def reserved_for_unseen(ledger: Ledger, account: Account, but: ClientOrderId | None = None) -> Decimal:
    """Return USD to reserve for orders that the account's figures do not show.

    These are entries in flight or in doubt, entries acknowledged after the figures were taken, and their fills since. A
    short sale reserves as much as a buy. A replacement reserves only its cost beyond the amount shown or reserved for
    the order it replaces. The unfilled rest of `but` is left out.
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
    """Return USD that the figures reserve for the order that this one replaces, so that nothing counts twice."""
    old = ledger.order(order.replaces) if order.replaces is not None else None
    if old is None or not old.is_working or old.only_reduces or not _is_seen(old, account):
        return ZERO
    return _shown(old)


def _counted(old: Order | None, account: Account) -> Decimal:
    """Return USD that already count for the replaced order."""
    if old is None:
        return ZERO
    return _shown(old) if _is_seen(old, account) else old.cost_to_come


def _is_seen(order: Order, account: Account) -> bool:
    """Return whether the broker had the order, and had reserved its cost, when it reported the account's figures."""
    was_there = order.submitted_at is not None and order.submitted_at < account.at
    return was_there and (order.ended_at is None or order.ended_at >= account.at)


def _shown(order: Order) -> Decimal:
    """Return the least USD that the broker reserves for a resting order.

    A short sale may have been valued at a bid that fell below its limit before the order arrived.
    """
    return order.request.instrument.cost(order.remaining, order.request.limit_price or order.counted_price)
