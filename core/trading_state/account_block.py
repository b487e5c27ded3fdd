"""The slice of the account's block: whether the broker accepts its orders, and which refusals a block explains (EX-22).

A broker's figures may show a block later than its order entry applies it, and its end earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from core import facts
from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.account import Account, NoAccount
from core.model.codes import MAY_BE_A_BLOCK
from core.model.lazy_dataclass import dataclass
from core.model.values import ClientOrderId

LAG = timedelta(minutes=1)
"""Time by which the account's figures may be apart from what the order entry accepts."""


@dataclass(slots=True)
class AccountBlockState:
    """`reason` is empty while there is no block.

    Attributes
    ----------
    since, until
        Of the last block: from when refusals may have it as their cause, and when it ended; None if not known.
    refusals
        When exits and stops were refused in a way that may mean a block. A replacement is none: the old order works.
    """

    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    refusals: dict[ClientOrderId, datetime] = field(default_factory=dict)


class AccountBlock:
    """Its facts are folded after those of the ledger."""

    name = "account_block"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.state = AccountBlockState()
        self.folds: Mapping[Any, Any] = {
            facts.AccountBlocked: self._blocked,
            facts.AccountUnblocked: self._unblocked,
            facts.OrderStateChanged: self._changed,
            facts.OrderKept: self._kept,
            facts.DayStarted: self._day_started,
        }

    def restore(self, state: AccountBlockState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def reason(self) -> str:
        return self.state.reason

    @property
    def is_on(self) -> bool:
        return bool(self.state.reason)

    def reason_by(self, account: Account | NoAccount) -> str:
        """Return why the broker accepts no orders, by these figures; by the last ones if these did not come."""
        return account.blocked_because if isinstance(account, Account) else self.state.reason

    def explains(self, order: Order) -> bool:
        """Whether the broker refused it because of the last block, as far as the times tell."""
        at, state = self.state.refusals.get(order.id), self.state
        if at is None or not (state.reason or state.until):
            return False
        return (state.since is None or at >= state.since) and (state.until is None or at <= state.until + LAG)

    def is_just_over(self, at: datetime) -> bool:
        """Whether the order entry may still refuse what the figures permit."""
        return self.state.until is not None and at <= self.state.until + LAG

    def explained(self) -> list[Order]:
        """Return those orders, oldest first."""
        return [order for order in self._ledger.in_order(self.state.refusals) if self.explains(order)]

    def is_suspected(self, at: datetime) -> bool:
        """Whether a refusal of the last minute may mean a block."""
        return any(at < refused_at + LAG for refused_at in self.state.refusals.values())

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _blocked(self, _at: datetime, fact: facts.AccountBlocked) -> None:
        if not self.state.reason:
            self.state.since, self.state.until = fact.since, None
        self.state.reason = fact.reason

    def _unblocked(self, at: datetime, _fact: facts.AccountUnblocked) -> None:
        self.state.reason, self.state.until = "", at

    def _changed(self, at: datetime, fact: facts.OrderStateChanged) -> None:
        order = self._ledger.order(fact.client_order_id)
        is_exit = order is not None and order.only_reduces and order.request.replaces is None
        if is_exit and fact.refusal in MAY_BE_A_BLOCK:
            self.state.refusals[fact.client_order_id] = at

    def _kept(self, _at: datetime, fact: facts.OrderKept) -> None:
        self.state.refusals.pop(fact.client_order_id, None)

    def _day_started(self, _at: datetime, _fact: facts.DayStarted) -> None:
        for order_id in [order_id for order_id in self.state.refusals if self._ledger.order(order_id) is None]:
            del self.state.refusals[order_id]
