"""Stop a strategy that repeats itself too fast, until a person allows it again (RK-24).

Its waiting entries leave the stage, working ones are cancelled, and the gate blocks others. Its exits and stops
continue: nothing protective is ever blocked by a count.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.facts import OrderFilled, ProposalEnded, ProposalStaged, ProtectionTripped
from core.messages.effects import Effect
from core.model.codes import CancelCode, ProposalEnd
from core.risk.protections.base import Scope
from core.risk.protections.book import RENEWED, scope_of_guard
from core.trading_state.state import TradingState
from core.workflows.base.declarations import follows
from core.workflows.base.isolation import apart
from core.workflows.orders.cancellation import Cancellation


class RepeatedExecutions:
    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @follows(OrderFilled)
    def after_fill(self, fact: OrderFilled) -> Iterator[Effect]:
        order = self.state.ledger.order(fact.fill.client_order_id)
        if order is not None and not order.only_reduces:
            yield from self._look(Scope(symbol=order.request.symbol, strategy=order.strategy))

    @follows(ProposalStaged)
    def after_renewal(self, fact: ProposalStaged) -> Iterator[Effect]:
        if fact.proposal.guard in RENEWED:
            yield from self._look(scope_of_guard(fact.proposal))

    def _look(self, scope: Scope) -> Iterator[Effect]:
        protection = self.state.protections.repeated_execution
        reason = protection.exceeded(scope, self.state.at)
        if reason is None or not self.state.protections.is_on(protection):
            return
        self.state.record(ProtectionTripped(protection.name, str(scope), reason, None))
        self._withdraw(scope, reason)
        for order in self.state.ledger.working_entries(scope.symbol, scope.strategy):
            if not order.is_cancelling:
                words = f"its strategy repeats itself: {reason}"
                yield from apart(self.state, partial(self.cancellation.cancel, order, words, CancelCode.REPEATED))

    def _withdraw(self, scope: Scope, reason: str) -> None:
        for proposal in list(self.state.stage.state.proposals.values()):
            is_of_it = (proposal.symbol, proposal.strategy) == (scope.symbol, scope.strategy)
            if is_of_it and not proposal.only_reduces:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.BLOCKED, f"it repeats itself: {reason}"))
