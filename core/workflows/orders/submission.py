"""Submit orders: redeem an approval, record the intent, and handle every answer.

Only this module yields `SubmitOrder` and `ReplaceOrder`: in `release`, and in `release_kept` for orders that an earlier
run released and never sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from core import facts
from core.execution import order_status
from core.execution.external_orders import in_the_way_of
from core.execution.order import Order
from core.execution.stop_coverage import refusal_of_again, refusal_of_less
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import SubmissionAnswered, SubmissionBegan, SubmissionStopped
from core.model.broker import Accepted, NoAnswer
from core.model.codes import BlockCode, EndCode, RefusalKind
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyRole, OrderRequest, OrderStatus, order_id_of
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan
from core.model.values import ClientOrderId, Price, ProposalId, TicketId
from core.staging import approvals
from core.staging.stage_state import LESS
from core.trading_state.state import TradingState
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates, look_up
from core.workflows.workflow import answers, apart, follow_up

AT_LEAST, AT_MOST = 1.0, 60.0
"""Bounds in seconds of the wait before an order rejected by the rate limit is sent again."""
LEFT_UNSENT = "it was not sent before the desk left"
LIMITED_UNSENT = "the broker took no requests when it was sent"
LOST_UNSENT = "the broker has not got it"
"""Reasons of kept orders that are not sent any more."""


class NotPermittedError(Exception):
    """Raised if our own code tries to release an order without an authorization. Trading halts."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An order to be sent, with everything that is recorded with it."""

    order: OrderRequest
    proposal_id: ProposalId
    strategy: str
    signal_time: datetime
    stop: StopPlan | None
    parent: ClientOrderId | None
    exit_reason: ExitReason | None
    intended_price: Price | None
    reference: Price | None
    expires_at: datetime | None
    role: AnyRole | None = None
    target_price: Price | None = None
    counted_at: Price | None = None
    again_of: ClientOrderId | None = None


class Submission:
    def __init__(self, state: TradingState, order_updates: OrderUpdates, order_recovery: OrderRecovery) -> None:
        self.state = state
        self.order_updates = order_updates
        self.order_recovery = order_recovery
        self._begun: list[tuple[Approval, Intent]] = []
        self._kept_back: list[Order] = []

    def release(self, approval: Approval, intent: Intent) -> Iterator[Effect]:
        """Redeem the approval and record the intent in one act; only then is the order sent (OP-02).

        Raises
        ------
        NotPermittedError
            The approval does not permit this order.
        DuplicateOrderError
            This client order id was used before.
        """
        order = intent.order
        digest = order.digest(self.state.account_name)
        refusal = approvals.refusal_to_redeem(self.state.stage, approval, digest, self.state.at)
        if refusal is None and approval.less_of is not None:
            judge = refusal_of_less if intent.again_of is None else refusal_of_again
            refusal = judge(self.state.ledger.order(approval.less_of), order)
        if refusal is not None:
            raise NotPermittedError(f"order {order.client_order_id}: {refusal}")
        self.state.ledger.retention.require_new(order.client_order_id)
        self._begun.append((approval, intent))
        self.state.record(facts.ApprovalRedeemed(approval, order.client_order_id, digest, order.quantity))
        self.state.record(
            facts.OrderCreated(
                order=order,
                proposal_id=intent.proposal_id,
                strategy=intent.strategy,
                signal_time=intent.signal_time,
                stop=intent.stop,
                parent=intent.parent,
                exit_reason=intent.exit_reason,
                intended_price=intent.intended_price,
                reference=intent.reference,
                expires_at=intent.expires_at,
                role=intent.role,
                target_price=intent.target_price,
                counted_at=intent.counted_at,
                again_of=intent.again_of,
            )
        )
        self._begun.pop()
        yield self._request(order, approval)

    def release_for(
        self,
        old: Order,
        order: OrderRequest,
        lapses_at: datetime,
        role: AnyRole | None = None,
        *,
        is_again: bool = False,
    ) -> Iterator[Effect]:
        """Release less of a confirmed exit, or the same under a new id: what was signed for the old one permits it.

        Parameters
        ----------
        is_again
            The broker had another order with the old one's id (EX-24).
        """
        approval = Approval(
            id=_permission_of(order.client_order_id),
            ticket_id=TicketId(""),
            authorization_id=None,
            order_digest=order.digest(self.state.account_name),
            lapses_at=lapses_at,
            less_of=old.id,
        )
        intent = Intent(
            order=order,
            proposal_id=old.proposal_id,
            strategy=old.strategy,
            signal_time=old.signal_time,
            stop=None,
            parent=old.parent,
            exit_reason=old.exit_reason,
            intended_price=old.intended_price,
            reference=old.reference,
            expires_at=old.expires_at,
            role=role,
            again_of=old.id if is_again else None,
        )
        yield from self.release(approval, intent)

    def next_id(self, old: Order, what: str) -> ClientOrderId:
        """Return a new id for `release_for`, made of the old order's, the time, and a number if needed.

        No id is used twice, even if one of that time was never recorded (EX-04).
        """
        parts = (what, self.state.control.state.installation or "", old.id, self.state.at.isoformat())
        names = (order_id_of(*parts, *([str(n)] if n else [])) for n in count())
        return next(name for name in names if not self._is_used(name))

    def _is_used(self, name: ClientOrderId) -> bool:
        return self.state.ledger.has(name) or _permission_of(name) in self.state.stage.state.less

    def take_failed(self) -> list[tuple[Approval, Intent]]:
        """Return and clear the releases that raised before they yielded an effect."""
        begun, self._begun = self._begun, []
        return begun

    def release_kept(self, order: Order) -> Iterator[Effect]:
        """Send an order that the broker does not have, by the approval that it redeemed (EX-22)."""
        approval, is_absent = order.kept, order.was_absent
        if approval is None:
            raise NotPermittedError(f"order {order.id}: it may have left already")
        self.state.record(facts.KeptOrderReleased(order.id))
        yield self._request(order.request, approval, is_absent=is_absent)

    def _request(
        self, order: OrderRequest, approval: Approval, *, is_absent: bool = False
    ) -> SubmitOrder | ReplaceOrder:
        """Queue the order as soon as it is recorded, also for later steps of this act."""
        self.state.sightings.departing.queue(order.client_order_id)
        if order.replaces is None:
            return SubmitOrder(order, approval, is_absent)
        old = self.state.ledger.order(order.replaces)
        return ReplaceOrder(order, approval, old.broker_order_id if old else None)

    @answers(SubmissionStopped)
    def on_stopped(self, reply: SubmissionStopped) -> Iterator[Effect]:
        """End an order that the gateway blocked; the broker never received it."""
        self.state.sightings.departing.end(reply.client_order_id)
        order = self.state.ledger.order(reply.client_order_id)
        if order is None or order.status is not OrderStatus.PENDING:
            return
        was_taken_back = order.is_cancelling
        yield from self.end_unsent(order, reply.reason, reply.code, reply.approval)
        if reply.approval is not None and not was_taken_back:
            self._kept_back.append(order)

    def take_kept_back(self) -> list[Order]:
        """Return and clear the orders that the gateway just blocked, without those cancelled meanwhile."""
        kept_back, self._kept_back = self._kept_back, []
        return kept_back

    def end_kept(self, order: Order) -> Iterable[Effect]:
        """End a cancelled order that an earlier run kept: it exists only here."""
        return self.end_unsent(order, *why_kept(order), order.kept)

    def end_unsent(self, order: Order, why: str, code: BlockCode, approval: Approval | None) -> Iterable[Effect]:
        """End an order that never left. An authorization that it used is returned."""
        self.state.record(facts.SubmissionBlocked(order.id, why, code))
        if approval is not None and approval.authorization_id is not None and self._is_given_back(order, approval):
            self.state.record(facts.PermissionReturned(order.id, approval.authorization_id, order.request.quantity))
        reason = f"{order.cancel_reason}, {why}" if order.is_cancelling else f"blocked: {why}"
        end = EndCode.NEVER_ARRIVED if code is BlockCode.LOST else EndCode.AS_ITS_STATE_SAYS
        self.state.record(order_status.change(order, OrderStatus.CANCELLED, facts.Source.DESK, None, reason, end))
        return follow_up(self.state)

    def _is_given_back(self, order: Order, approval: Approval) -> bool:
        """Whether the authorization is returned; not if the order was cancelled or it lapsed: that needs a new key."""
        return not order.is_cancelling and self.state.at <= approval.lapses_at and _is_counted(order)

    @answers(SubmissionBegan)
    def on_began(self, message: SubmissionBegan) -> Iterable[Effect]:
        """Mark the order as possibly at the broker; a cancel requested meanwhile is watched from now."""
        self.state.sightings.departing.leave(message.client_order_id, self.state.at)
        order = self.state.ledger.order(message.client_order_id)
        if order is not None and order.status is OrderStatus.PENDING and order.is_cancelling:
            self.order_recovery.watch(order)
        return ()

    @answers(SubmissionAnswered)
    def on_answered(self, reply: SubmissionAnswered) -> Iterator[Effect]:
        self.state.sightings.departing.end(reply.client_order_id)
        order = self.state.ledger.order(reply.client_order_id)
        if order is None:
            return
        if reply.sent_at is not None:
            self.state.record(facts.OrderSent(order.id, reply.sent_at, *self.state.touch(order.request.symbol)))
        if isinstance(reply.answer, Accepted):
            yield from self.order_updates.absorb(order, reply.answer.report, facts.Source.ANSWER)
            yield from self.order_recovery.ask_for_legs(order)
        elif order.end_code is EndCode.NEVER_ARRIVED:
            yield look_up(order)  # its request was on the way when it was given up: it may be there now
        elif order.status is not OrderStatus.PENDING:
            yield from self.order_recovery.ask_for_legs(order)  # the stream reported it, and names no legs
        elif isinstance(reply.answer, NoAnswer):
            yield from self.order_recovery.begin(order, reply.answer.reason)
        elif reply.answer.kind is RefusalKind.DUPLICATE_ID:  # whose order has it is looked up
            yield from self.order_recovery.begin(order, reply.answer.said)
        elif reply.approval is not None and not order.is_cancelling:
            wait = min(max(reply.answer.wait_seconds or 0.0, AT_LEAST), AT_MOST)
            self.state.record(facts.OrderKept(order.id, reply.approval, self.state.at + timedelta(seconds=wait)))
        else:
            refused = self._change(
                order, OrderStatus.REJECTED, facts.Source.ANSWER, self._said(order, reply.answer.said)
            )
            self.state.record(replace(refused, refusal=reply.answer.kind))
            yield from follow_up(self.state)

    def _said(self, order: Order, refusal: str) -> str:
        """Return the broker's text after the known obstacle."""
        held = in_the_way_of(order.request, self.state.sightings.others, self.state.ledger)
        return f"{held}; {refusal}" if held else refusal

    def _change(self, order: Order, after: OrderStatus, source: facts.Source, reason: str) -> facts.OrderStateChanged:
        return order_status.change(order, after, source, None, reason)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for order in self._unanswered():
            yield self._gives_up_at(order)

    def due(self) -> Iterator[Effect]:
        reason = f"no answer in {self._timeout().total_seconds():g} s"
        for order in list(self._unanswered()):
            if self.state.at >= self._gives_up_at(order):
                yield from apart(self.state, partial(self.order_recovery.begin, order, reason))

    def _unanswered(self) -> Iterator[Order]:
        """Yield the orders that left and have no answer yet."""
        asked = (o for o in self.state.ledger.pending() if o.in_doubt_since is None)
        return (order for order in asked if not self.state.sightings.departing.is_here(order))

    def _gives_up_at(self, order: Order) -> datetime:
        """Return the time-out, counted from the request's departure, not from our own queue (EX-06)."""
        return self.state.sightings.departing.left_at(order) + self._timeout()

    def _timeout(self) -> timedelta:
        return timedelta(seconds=float(self.state.control.settings.execution.answer_seconds))


def _permission_of(order_id: ClientOrderId) -> str:
    return f"{LESS}{order_id}"


def why_kept(order: Order) -> tuple[str, BlockCode]:
    """Return why a recorded order is kept here."""
    if order.was_absent:
        return LOST_UNSENT, BlockCode.LOST
    if order.again_at is not None:
        return LIMITED_UNSENT, BlockCode.LIMITED
    return LEFT_UNSENT, BlockCode.LEFT


def _is_counted(order: Order) -> bool:
    """Whether its authorization counts shares and covers several orders: a stop's. A sale has one id, signed once."""
    return order.is_protective and order.exit_reason is ExitReason.STOP_LOSS
