"""Recover from an exception between an authorization and its order: the authorization is used again (EX-22).

A stop, or the sale of a close, is derived again at the next comparison of the books, which is requested at once. A stop
that fails twice waits on a ticket and is owed by that alone. Reductions of working orders are checked after each act.
An order confirmed by its own key is reported, and an exit waits on another ticket. A recorded stop waits on a ticket at
once, or is owed again if it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.execution.order import Order
from core.facts import AuthorizationEnded, OrderCreated, PermissionReturned, StopAskedFor, StopCut, SubmissionBlocked
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import SubmissionStopped
from core.model.codes import AuthorizationCode, GuardCode
from core.model.staging import Approval, AuthorizationKind
from core.model.values import ZERO, ClientOrderId, Quantity
from core.staging.stage_state import STOPS
from core.trading_state.state import TradingState
from core.workflows.base.declarations import follows
from core.workflows.base.follow_up import follow_up
from core.workflows.base.isolation import apart, done_apart
from core.workflows.orders.submission import Intent, Submission
from core.workflows.protection.stop_renewal import StopRenewal
from core.workflows.staging.order_changes import RequestedChange

FAILED = RequestedChange("the desk failed before sending it", GuardCode.FAILED)
SUBMISSIONS = (SubmitOrder, ReplaceOrder)
NOT_SENT = "the desk failed before sending it, and it never left; m in Positions gives a stop, else stage it"


class InterruptedOrders:
    def __init__(self, state: TradingState, submission: Submission, stop_renewal: StopRenewal) -> None:
        self.state = state
        self.submission = submission
        self.stop_renewal = stop_renewal
        self._written: set[ClientOrderId] = set()
        """Orders that this act recorded."""
        self._failed: set[str] = set()
        """Authorizations, and reduced stops, whose order was not recorded."""

    @follows(OrderCreated)
    def on_written(self, fact: OrderCreated) -> None:
        """Note a recorded order; one that the broker created itself is not submitted."""
        if fact.role is None or fact.order.replaces is not None:
            self._written.add(fact.order.client_order_id)

    def settle(self, asked: list[Effect]) -> Iterator[Effect]:
        """End recorded orders that were not submitted, then handle their authorizations."""
        while self._written and (missing := self._written - _sent_in(asked)):
            self._written -= missing
            for order_id in sorted(missing):
                stopped = SubmissionStopped(order_id, NOT_SENT)
                yield from apart(self.state, partial(self.submission.on_stopped, stopped))
                order = self.state.ledger.order(order_id)
                if order is not None and order.only_reduces:
                    done_apart(self.state, partial(self.stop_renewal.ask_again, order, FAILED))
            yield from follow_up(self.state)
        self._written.clear()
        for approval, intent in self.submission.take_failed():
            done_apart(self.state, partial(self._take_up, approval, intent))

    def _take_up(self, approval: Approval, intent: Intent) -> None:
        if self.state.ledger.has(intent.order.client_order_id):
            if not self._is_asked_for(intent):
                self._give_back(approval, intent)
            return
        stands_by = approval.mandate_id or approval.less_of
        if stands_by is None:
            self._tell(intent)
        elif stands_by in self._failed:
            self._ask(approval, intent)
        else:
            self._failed.add(stands_by)
            self.state.sightings.books_are_wanted = True

    def _tell(self, intent: Intent) -> None:
        """Report an order confirmed by its own key, and let an exit wait for another."""
        self.state.record(SubmissionBlocked(intent.order.client_order_id, NOT_SENT))
        if intent.order.effect.only_reduces:
            self.stop_renewal.ask_again(_as_order(intent, self.state), FAILED)

    def _ask(self, approval: Approval, intent: Intent) -> None:
        order = intent.order
        if order.replaces is not None or not self._is_stop(approval):
            return
        if not self.stop_renewal.ask_for(order, intent.strategy, FAILED):
            return
        if approval.less_of is not None:
            self._is_owed_less(approval.less_of, order.quantity)
        else:
            self._is_permitted_less(str(approval.mandate_id), order.quantity)

    def _is_stop(self, approval: Approval) -> bool:
        """Whether it is a stop. A sale has its time-out, after which the stop is restored."""
        if approval.less_of is not None:
            cut = self.state.ledger.order(approval.less_of)
            return cut is not None and cut.is_protective
        use = self.state.stage.state.mandates.get(approval.mandate_id or "")
        return use is not None and use.mandate.kind in STOPS

    def _is_owed_less(self, less_of: ClientOrderId, asked: Quantity) -> None:
        cut = self.state.ledger.order(less_of)
        if cut is not None:
            self.state.record(StopCut(cut.id, Quantity(max((cut.owed or ZERO) - asked, ZERO))))

    def _is_asked_for(self, intent: Intent) -> bool:
        stops = (p for p in self.state.stage.proposals() if p.only_reduces and p.order.type.is_stop)
        return any((p.symbol, p.strategy) == (intent.order.symbol, intent.strategy) for p in stops)

    def _give_back(self, approval: Approval, intent: Intent) -> None:
        """Owe the stop again: it was recorded and ended unsent, and no ticket could wait for its shares."""
        order = intent.order
        if order.replaces is not None or not self._is_stop(approval):
            return
        if approval.mandate_id is not None:
            self.state.record(PermissionReturned(order.client_order_id, approval.mandate_id, order.quantity))
        elif approval.less_of is not None and (cut := self.state.ledger.order(approval.less_of)) is not None:
            self.state.record(StopCut(cut.id, Quantity((cut.owed or ZERO) + order.quantity)))

    def _is_permitted_less(self, mandate_id: str, asked: Quantity) -> None:
        mandate = self.state.stage.state.mandates[mandate_id].mandate
        self.state.record(StopAskedFor(mandate.parent, mandate_id, asked))
        if mandate.kind is AuthorizationKind.RESTORE_STOP:
            self.state.record(
                AuthorizationEnded(mandate_id, "the stop waits for its key", AuthorizationCode.WAITS_FOR_KEY)
            )


def _as_order(intent: Intent, state: TradingState) -> Order:
    return Order(
        request=intent.order,
        proposal_id=intent.proposal_id,
        strategy=intent.strategy,
        signal_time=intent.signal_time,
        created_at=state.at,
        stop=intent.stop,
        parent=intent.parent,
        exit_reason=intent.exit_reason,
        intended_price=intent.intended_price,
        reference=intent.reference,
        expires_at=intent.expires_at,
        role=intent.role,
    )


def _sent_in(asked: list[Effect]) -> set[ClientOrderId]:
    return {effect.order.client_order_id for effect in asked if isinstance(effect, SUBMISSIONS)}
