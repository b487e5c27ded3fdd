"""From permission to the wire and back: an approval is redeemed, the intent written, and every answer understood.

`release` is the only place in the program that yields `SubmitOrder` and `ReplaceOrder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.desk import Desk
from core.effects import Effect, ReplaceOrder, SubmitOrder
from core.execution.beyond import refusal_of_less
from core.execution.order import NEVER_ARRIVED, Order
from core.execution.others import in_the_way_of
from core.facts import (
    ApprovalRedeemed,
    OrderCreated,
    OrderSent,
    OrderStateChanged,
    Source,
    SubmissionBlocked,
)
from core.inputs import SubmissionAnswered, SubmissionStopped
from core.model.broker import Accepted, NoAnswer
from core.model.order import LegRole, OrderRequest, OrderStatus
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan
from core.model.values import ClientOrderId, Price, ProposalId
from core.workflows.doubting import Doubting
from core.workflows.filling import Filling, look_up

DUPLICATE_ID = 40010001
"""Alpaca's code for a client order id that it has already: the order is there, look it up (EX-06)."""


class NotPermittedError(Exception):
    """Our own code tried to release an order that nothing permits. Trading halts."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An order to be sent and everything that is remembered with it."""

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
    role: LegRole | None = None
    target_price: Price | None = None
    counted_at: Price | None = None


class Submitting:
    def __init__(self, desk: Desk, filling: Filling, doubting: Doubting) -> None:
        self.desk = desk
        self.filling = filling
        self.doubting = doubting
        self.after_end: Callable[[Order], Iterable[Effect]] = lambda order: ()
        self.take_warnings: Callable[[Order, tuple[str, ...]], None] = lambda order, warnings: None

    def release(self, approval: Approval, intent: Intent) -> Iterator[Effect]:
        """Redeem the approval and write the intent, in one act; only then is the order sent (OP-02).

        Raises
        ------
        NotPermittedError
            The approval does not permit this order.
        DuplicateOrderError
            This client order id was used before.
        """
        order = intent.order
        digest = order.digest(self.desk.account_name)
        refusal = self.desk.stage.refusal_to_redeem(approval, digest, self.desk.at)
        if refusal is None and approval.less_of is not None:
            refusal = refusal_of_less(self.desk.ledger.order(approval.less_of), order)
        if refusal is not None:
            raise NotPermittedError(f"order {order.client_order_id}: {refusal}")
        self.desk.ledger.require_new(order.client_order_id)
        self.desk.record(ApprovalRedeemed(approval, order.client_order_id, digest, order.quantity))
        self.desk.record(
            OrderCreated(
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
            )
        )
        if order.replaces is None:
            yield SubmitOrder(order, approval)
        else:
            old = self.desk.ledger.order(order.replaces)
            yield ReplaceOrder(order, approval, old.broker_order_id if old else None)

    def on_stopped(self, reply: SubmissionStopped) -> Iterable[Effect]:
        """The gateway did not let it out; the broker never heard of it."""
        order = self.desk.ledger.order(reply.client_order_id)
        if order is None or order.status is not OrderStatus.PENDING:
            return ()
        self.desk.record(SubmissionBlocked(order.id, reply.reason))
        self.desk.record(self._change(order, OrderStatus.CANCELLED, Source.DESK, f"blocked: {reply.reason}"))
        return self.after_end(order)

    def on_answered(self, reply: SubmissionAnswered) -> Iterator[Effect]:
        order = self.desk.ledger.order(reply.client_order_id)
        if order is None:
            return
        if reply.sent_at is not None:
            self.desk.record(OrderSent(order.id, reply.sent_at))
        if isinstance(reply.answer, Accepted):
            yield from self.filling.absorb(order, reply.answer.report, Source.ANSWER)
            yield from self.doubting.ask_for_legs(order)
            self.take_warnings(order, reply.answer.warnings)
        elif order.reason == NEVER_ARRIVED:
            yield look_up(order)  # its request was still on the way when it was given up: it may be there now
        elif order.status is not OrderStatus.PENDING:
            yield from self.doubting.ask_for_legs(order)  # the stream told of it, and names no legs
        elif isinstance(reply.answer, NoAnswer):
            yield from self.doubting.begin(order, reply.answer.reason)
        elif reply.answer.code == DUPLICATE_ID:
            yield from self.doubting.begin(order, "the broker has this id already")
        else:
            said = self._said(order, f"{reply.answer.message} ({reply.answer.code})")
            self.desk.record(self._change(order, OrderStatus.REJECTED, Source.ANSWER, said))
            yield from self.after_end(order)

    def _said(self, order: Order, refusal: str) -> str:
        """The broker's words, after what is known to stand in the way."""
        held = in_the_way_of(order.request, self.desk.others, self.desk.ledger)
        return f"{held}; {refusal}" if held else refusal

    def _change(self, order: Order, after: OrderStatus, source: Source, reason: str) -> OrderStateChanged:
        return self.filling.change(order, after, source, None, reason)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for order in self._unanswered():
            yield order.created_at + self._patience()

    def due(self) -> Iterator[Effect]:
        for order in list(self._unanswered()):
            if self.desk.at >= order.created_at + self._patience():
                yield from self.doubting.begin(order, f"no answer in {self._patience().total_seconds():g} s")

    def _unanswered(self) -> Iterator[Order]:
        return (o for o in self.desk.ledger.working() if o.status is OrderStatus.PENDING and o.in_doubt_since is None)

    def _patience(self) -> timedelta:
        return timedelta(seconds=float(self.desk.control.settings.execution.answer_seconds))
