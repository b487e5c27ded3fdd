"""Watch whether the broker accepts orders of the account, and send again what it refused when it does not (EX-22).

A refusal does not say that it means a block: the account's figures do, perhaps later. While stops or exits may wait for
its end the figures are requested every few seconds. The first figures without a block send its stops again, each under
its own id by its own approval. An exit waits on another ticket, unless it was signed with its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.execution.order import Order
from core.facts import AccountBlocked, AccountUnblocked, OrderKept, OrderStateChanged
from core.messages.effects import Effect, FetchAccount
from core.messages.inputs import AccountFetched, BooksFetched, FiguresFetched
from core.model.account import Account
from core.model.broker import NoAnswer
from core.trading_state.account_block import LAG
from core.trading_state.state import TradingState
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.staging.exit_change_refusals import unguarded_of
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.staging.unattended_exits import AutoExits
from core.workflows.workflow import answers, follows

EVERY = timedelta(seconds=4)
"""Between two requests for the figures: with the answer and the order after it less than five seconds."""
ACCEPTS_AGAIN = "the broker accepted no orders of the account, and accepts them again"


class AccountBlocks:
    def __init__(
        self, state: TradingState, order_recovery: OrderRecovery, proposals: Proposals, auto_exits: AutoExits
    ) -> None:
        self.state = state
        self.order_recovery = order_recovery
        self.proposals = proposals
        self.auto_exits = auto_exits
        self._asked_at: datetime | None = None
        self._seen_at: datetime | None = None
        self._free_at: datetime | None = None

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(AccountFetched, BooksFetched, FiguresFetched)
    def on_figures(self, reply: AccountFetched | BooksFetched | FiguresFetched) -> Iterable[Effect]:
        answer = reply.answer
        account = answer if isinstance(answer, Account | NoAnswer) else answer.account
        return self._see(account) if isinstance(account, Account) else ()

    def _see(self, account: Account) -> Iterator[Effect]:
        block = self.state.account_block
        if self._seen_at is not None and account.at < self._seen_at:
            return
        self._seen_at = account.at
        if account.is_blocked:
            if account.blocked_because != block.reason:
                since = None if self._free_at is None else self._free_at - LAG
                self.state.record(AccountBlocked(account.blocked_because, since))
            return
        self._free_at = account.at
        self._send_stops_again(account.at)
        if block.is_on:
            self._stage_exits_again()
            self.state.record(AccountUnblocked())
            yield from self.auto_exits.look()

    def _send_stops_again(self, free_at: datetime) -> None:
        """Send the refused stops of unprotected shares again, the newest first: a key may have given a later one.

        One that is refused again soon after the end of the block waits for the next figures.
        """
        block = self.state.account_block
        if not block.is_on and not block.is_just_over(self.state.at):
            return
        pause = timedelta(0) if block.is_on else EVERY
        for stop in reversed(block.explained()):
            if not stop.is_protective or free_at < block.state.refusals[stop.id] + pause or not self._is_owed(stop):
                continue
            if (approval := self.order_recovery.permitted_again(stop)) is not None:
                self.state.record(OrderKept(stop.id, approval, self.state.at, is_absent=True, was_refused=True))

    def _is_owed(self, stop: Order) -> bool:
        position = self.state.ledger.position(stop.request.symbol, stop.strategy)
        if position is None or self.state.owed_stops.of(position) is None or unguarded_of(self.state, position) <= 0:
            return False
        naked_at = self.state.owed_stops.state.naked_at
        return naked_at is None or stop.created_at > naked_at

    def _stage_exits_again(self) -> None:
        for order in reversed(self.state.account_block.explained()):
            position = self.state.ledger.position(order.request.symbol, order.strategy)
            if position is None or order.created_at < position.began or order.is_protective:
                continue
            if not self.proposals.is_leaving(position):
                self.proposals.stage_again(order, ACCEPTS_AGAIN)

    @follows(OrderStateChanged)
    def after_refusal(self, fact: OrderStateChanged) -> Iterator[Effect]:
        """Request the figures at once: they tell whether the refusal means a block."""
        if fact.client_order_id in self.state.account_block.state.refusals:
            yield self._ask()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._is_awaited():
            yield self._next_at()

    def due(self) -> Iterator[Effect]:
        if self._is_awaited() and self.state.at >= self._next_at():
            yield self._ask()

    def _next_at(self) -> datetime:
        return self.state.at if self._asked_at is None else self._asked_at + EVERY

    def _is_awaited(self) -> bool:
        block = self.state.account_block
        if block.is_suspected(self.state.at):
            return True
        return block.is_on and bool(self.state.owed_stops.all() or block.explained())

    def _ask(self) -> Effect:
        self._asked_at = self.state.at
        return FetchAccount()
