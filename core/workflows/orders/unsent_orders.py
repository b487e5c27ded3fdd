"""Orders that never left: after an exception, or after a stop of the desk (EX-22).

A stop, or the sale of a close, is derived again at the next comparison of the books, which is requested at once. A stop
that fails twice waits on a ticket and is owed by that alone. Reductions of working orders are checked after each act.
An order confirmed by its own key is reported, and an exit waits on another ticket. A recorded stop waits on a ticket at
once, or is owed again if it cannot.

The books are compared first. Then a reducing order is sent at once if its authorization still permits exactly it and it
fits the position; else it ends unsent and waits on a ticket, before everything else. An entry is not sent any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from core import facts
from core.execution.order import Order
from core.execution.stop_coverage import unreserved
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import SubmissionKept, SubmissionStopped
from core.model.codes import AuthorizationCode, BlockCode, GuardCode
from core.model.order import OrderStatus
from core.model.staging import Approval, AuthorizationKind
from core.model.values import ZERO, ClientOrderId, Quantity, plain
from core.staging.stage_state import STOPS
from core.trading_state.state import TradingState
from core.workflows.orders.submission import Intent, Submission, why_kept
from core.workflows.protection.owed_stops import StopRenewal
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.staging.order_changes import RequestedChange
from core.workflows.workflow import answers, apart, done_apart, follow_up, follows

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

    @follows(facts.OrderCreated)
    def on_written(self, fact: facts.OrderCreated) -> None:
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
        stands_by = approval.authorization_id or approval.less_of
        if stands_by is None:
            self._tell(intent)
        elif stands_by in self._failed:
            self._ask(approval, intent)
        else:
            self._failed.add(stands_by)
            self.state.sightings.books_are_wanted = True

    def _tell(self, intent: Intent) -> None:
        """Report an order confirmed by its own key, and let an exit wait for another."""
        self.state.record(facts.SubmissionBlocked(intent.order.client_order_id, NOT_SENT))
        if intent.order.effect.only_reduces:
            self.stop_renewal.ask_again(_as_order(intent, self.state), FAILED)

    def _ask(self, approval: Approval, intent: Intent) -> None:
        order = intent.order
        if order.replaces is not None or not self._is_stop(approval):
            return
        if not self.stop_renewal.ask_for(order, intent.strategy, FAILED):
            return
        if approval.less_of is not None:
            asked = order.quantity
            cut = self.state.ledger.order(approval.less_of)
            if cut is not None:
                self.state.record(facts.StopCut(cut.id, Quantity(max((cut.owed or ZERO) - asked, ZERO))))
        else:
            self._is_permitted_less(str(approval.authorization_id), order.quantity)

    def _is_stop(self, approval: Approval) -> bool:
        """Whether it is a stop. A sale has its time-out, after which the stop is restored."""
        if approval.less_of is not None:
            cut = self.state.ledger.order(approval.less_of)
            return cut is not None and cut.is_protective
        use = self.state.stage.state.authorizations.get(approval.authorization_id or "")
        return use is not None and use.authorization.kind in STOPS

    def _is_asked_for(self, intent: Intent) -> bool:
        stops = (p for p in self.state.stage.proposals() if p.only_reduces and p.order.type.is_stop)
        return any((p.symbol, p.strategy) == (intent.order.symbol, intent.strategy) for p in stops)

    def _give_back(self, approval: Approval, intent: Intent) -> None:
        """Owe the stop again: it was recorded and ended unsent, and no ticket could wait for its shares."""
        order = intent.order
        if order.replaces is not None or not self._is_stop(approval):
            return
        if approval.authorization_id is not None:
            self.state.record(
                facts.PermissionReturned(order.client_order_id, approval.authorization_id, order.quantity)
            )
        elif approval.less_of is not None and (cut := self.state.ledger.order(approval.less_of)) is not None:
            self.state.record(facts.StopCut(cut.id, Quantity((cut.owed or ZERO) + order.quantity)))

    def _is_permitted_less(self, authorization_id: str, asked: Quantity) -> None:
        authorization = self.state.stage.state.authorizations[authorization_id].authorization
        self.state.record(facts.StopAskedFor(authorization.parent, authorization_id, asked))
        if authorization.kind is AuthorizationKind.RESTORE_STOP:
            self.state.record(
                facts.AuthorizationEnded(
                    authorization_id, "the stop waits for its key", AuthorizationCode.WAITS_FOR_KEY
                )
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


GUARDS = {BlockCode.LEFT: GuardCode.LEFT, BlockCode.LIMITED: GuardCode.LIMITED, BlockCode.LOST: GuardCode.NOT_THERE}


class UnsentOrders:
    RUNS_WITH_OTHERS = True

    def __init__(
        self, state: TradingState, submission: Submission, protective_stops: ProtectiveStops, stop_renewal: StopRenewal
    ) -> None:
        self.state = state
        self.submission = submission
        self.protective_stops = protective_stops
        self.stop_renewal = stop_renewal

    @answers(SubmissionKept)
    def on_kept(self, message: SubmissionKept) -> Iterable[Effect]:
        """Record the kept order, the last record of it before the desk stops."""
        self.state.sightings.departing.end(message.client_order_id)
        order = self.state.ledger.order(message.client_order_id)
        if order is not None and order.status is OrderStatus.PENDING:
            self.state.record(facts.OrderKept(order.id, message.approval))
        return ()

    def send(self) -> Iterator[Effect]:
        """Send each kept order once after a comparison, if the books agree on its symbol.

        A lapsed one ends even if they differ: it would reserve the shares that another exit sells.
        """
        at = self.state.at
        for order in [o for o in self._kept() if self._agrees(o) or _has_lapsed(o, at)]:
            if order.again_at is None or at >= order.again_at or _has_lapsed(order, at):
                yield from apart(self.state, partial(self._send, order))

    def next_due(self) -> Iterator[datetime]:
        """Yield the retry times of rate-limited orders, once the books were compared."""
        kept = filter(self._agrees, self._kept())
        return (order.again_at for order in kept if order.again_at is not None)

    def due(self) -> Iterator[Effect]:
        return self.send()

    def _kept(self) -> list[Order]:
        """Return the kept orders; none before the first comparison of the books."""
        if not self.state.control.state.was_compared:
            return []
        return [order for order in self.state.ledger.working() if order.kept is not None]

    def _agrees(self, order: Order) -> bool:
        symbol = order.request.symbol
        return symbol not in self.state.sightings.differing and not self.state.may_have_unknown_orders(symbol)

    def _send(self, order: Order) -> Iterator[Effect]:
        why_not = self._why_not(order)
        if why_not is None:
            yield from self.submission.release_kept(order)
            return
        approval, was_taken_back = order.kept, order.is_cancelling
        why, code = why_kept(order)
        yield from self.submission.end_unsent(order, f"{why}; {why_not}", code, approval)
        if order.only_reduces and not was_taken_back:
            if self._agrees(order):
                yield from self._guard(order)
            self.stop_renewal.ask_again(order, RequestedChange(why, GUARDS[code]))

    def _why_not(self, order: Order) -> str | None:
        if not order.only_reduces:
            return "an entry is not sent later; stage it again"
        if order.is_cancelling or order.cancel_requested_at is not None:
            return "it was taken back"
        if _has_lapsed(order, self.state.at):
            return "what was signed permits it no more"
        if order.request.replaces is not None:
            old = self.state.ledger.chains.replaced(order)
            if old is None or old.is_cancelling:
                return "the order that it would replace is over"
            is_filled = order.request.quantity > old.remaining
            return "the order that it would replace has filled in part" if is_filled else None
        return self.too_much(order)

    def too_much(self, order: Order) -> str | None:
        """Return why it exceeds the position beside other working exits; its own shares are among their claims."""
        free = unreserved(self.state.ledger, order.request.symbol, order.strategy, order.request.side)
        if self.protective_stops.is_loose(order):
            return "there is nothing that it would close"
        return None if free >= 0 else f"{plain(-free)} fewer are held by now than exits ask for"

    def _guard(self, order: Order) -> Iterator[Effect]:
        """Send the stop for fewer shares if its authorization permits that."""
        if order.is_protective and order.parent is not None:
            yield from self.protective_stops.cover(order.parent)


def _has_lapsed(order: Order, at: datetime) -> bool:
    return order.kept is None or at > order.kept.lapses_at
