"""Cancel an order, follow a replacement, and cancel one that the broker warns of (EX-07, OP-11).

A report on the new order proves that it exists; the end of the old one and its fills until then are looked up. A fill
of the old order that the change did not know of cancels an entry's replacement.

The order is at the broker by then. An entry is cancelled unless the operator confirms the warning in time; its fills
until then stay, with their stop. A reducing order keeps working with its warning unconfirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from core import facts
from core.execution.order import Order, is_order_stale
from core.messages.commands import ConfirmWarning, RequestCancel
from core.messages.effects import CancelOrder, Effect, WithdrawOrder
from core.messages.inputs import CancelAnswered, Input, SubmissionAnswered
from core.model.account import Channel, ConnectionState
from core.model.broker import Accepted, CancelTaken, NoAnswer, NotFound, Refused
from core.model.codes import CancelCode, ProposalEnd, RefusalKind
from core.model.order import OrderStatus, TimeInForce
from core.model.session import Session
from core.trading_state.state import TradingState
from core.workflows.operator.command_rights import seat_at
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates, look_up
from core.workflows.orders.sale_chains import GIVEN_UP, SaleChains
from core.workflows.orders.submission import Submission
from core.workflows.workflow import answers, apart, follows

HELD = "it waits for its entry to fill, and goes with it: cancel the entry"
NOT_YET = "this stop is to take another's place; cancel that one, or wait for the broker's answer"
ASKED_AGAIN = timedelta(seconds=1)
"""Time in which repeated requests for the same cancel, from any key or desk, count as one."""


class Cancellation:
    DUE_BY_FACTS = True

    def __init__(
        self, state: TradingState, order_updates: OrderUpdates, order_recovery: OrderRecovery, submission: Submission
    ) -> None:
        self.state = state
        self.order_updates = order_updates
        self.order_recovery = order_recovery
        self.submission = submission
        self.sale_chains = SaleChains(state)

    @answers(RequestCancel)
    def on_request(self, command: RequestCancel) -> Iterable[Effect]:
        """Cancel at the operator's request. A pending replacement: an entry goes with the order that it replaces.

        A stop that is to replace another is not cancelled: it would leave shares unprotected.
        """
        order = self.state.ledger.order(command.client_order_id)
        if order is None or not order.is_working:
            return ()
        old = self.state.ledger.chains.replaced(order)
        why_not = NOT_YET if old is not None and order.is_protective else None
        if self.state.ledger.legs.is_held(order):
            why_not = HELD
        if why_not is not None:
            self.state.record(facts.ProposalSkipped(order.strategy, order.request.symbol, self.state.at, (why_not,)))
            return ()
        asked_at = order.cancel_requested_at
        if asked_at is not None and order.is_cancelling and self.state.at - asked_at < ASKED_AGAIN:
            return ()
        return self.cancel(old or order, "cancelled by the operator", CancelCode.OPERATOR)

    def cancel(self, order: Order, reason: str, code: CancelCode) -> Iterator[Effect]:
        """Request a cancel and watch the order until it has ended.

        A PENDING order waits for its answer; one that has not left yet is withdrawn here. Its replacement is cancelled
        too.
        """
        self.state.record(facts.CancelRequested(order.id, reason, code))
        if order.kept is not None:  # an earlier run kept it: it is in no queue
            yield from self.submission.end_kept(order)
            return
        if self.state.sightings.departing.is_here(order):
            yield WithdrawOrder(order.id)
        else:
            self.order_recovery.watch(order)
        if order.status is not OrderStatus.PENDING:
            yield CancelOrder(order.id, order.broker_order_id)
        replacement = self.state.ledger.chains.replacement(order)
        if replacement is not None and not replacement.is_cancelling:
            yield from self.cancel(replacement, reason, code)

    @answers(CancelAnswered)
    def on_answered(self, reply: CancelAnswered) -> Iterator[Effect]:
        order = self.state.ledger.order(reply.client_order_id)
        if order is None:
            return
        if isinstance(reply.answer, Accepted):
            if order.is_working:
                yield from self.order_updates.absorb(order, reply.answer.report, facts.Source.ANSWER)
            return
        if not order.is_working:
            return
        if isinstance(reply.answer, CancelTaken):
            if not self._is_told_of():
                yield look_up(order)
            return
        if order.is_cancelling:  # else the cancel is obsolete, and a late answer triggers nothing
            self.state.record(facts.CancelFailed(order.id, _words(reply), _kind(reply)))
        yield look_up(order)

    def _is_told_of(self) -> bool:
        """Whether the stream is up to report the end; the order is watched all the same (EX-17)."""
        connection = self.state.sightings.connections.get(Channel.TRADES)
        return connection is not None and connection.state is ConnectionState.UP

    def without_disk(self, message: Input) -> list[Effect]:
        """Send the operator's cancel although no record of it can be kept (SP-06)."""
        wanted = self.state.ledger.order(message.client_order_id) if isinstance(message, RequestCancel) else None
        if wanted is None or not wanted.is_working:
            return []
        replacement = self.state.ledger.chains.replacement(wanted)
        return [CancelOrder(order.id, order.broker_order_id) for order in (wanted, replacement) if order is not None]

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for order in self.state.ledger.working():
            if order.cancel_requested_at is None and order.expires_at is not None and not self._is_clock_in_doubt():
                yield order.expires_at
            if (at := self._again_at(order)) is not None:
                yield at

    def due(self) -> Iterator[Effect]:
        for order in list(self.state.ledger.working()):
            yield from apart(self.state, partial(self._due, order))

    @follows(facts.SessionsAnnounced)
    def after_announcement(self, _fact: facts.SessionsAnnounced) -> Iterator[Effect]:
        """Cancel entries for the day that left after a close which was known too late: they would open on the next day
        (MD-10).
        """
        today = self.state.calendar.session_on(self.state.calendar.trading_day(self.state.at))
        if not isinstance(today, Session) or self.state.at < today.close:
            return
        for order in list(self.state.ledger.working_entries()):
            is_for_the_day = order.request.time_in_force is TimeInForce.DAY and not order.request.extended_hours
            if is_for_the_day and order.created_at >= today.close and order.cancel_requested_at is None:
                act = partial(self.cancel, order, "its session had ended when it left", CancelCode.OUTLIVED)
                yield from apart(self.state, act)

    def _is_clock_in_doubt(self) -> bool:
        """Whether the clock is in doubt: no time to live ends by a clock that may be wrong (EX-23).

        A cancel that was requested before is repeated all the same.
        """
        return self.state.control.is_clock_in_doubt

    def _due(self, order: Order) -> Iterator[Effect]:
        if order.cancel_requested_at is None and is_order_stale(order, self.state.at) and not self._is_clock_in_doubt():
            yield from self.cancel(order, "its time to live is over", CancelCode.OUTLIVED)
        elif (at := self._again_at(order)) is not None and self.state.at >= at:
            yield from self.again(order)

    def _again_at(self, order: Order) -> datetime | None:
        """Return when a failed cancel is repeated: not while the broker has one, or a replacement, of the order."""
        if order.cancel_failed_at is None or order.is_leaving:
            return None
        return order.cancel_failed_at + self._pause(order)

    def again(self, order: Order) -> Iterator[Effect]:
        """Cancel again for the same reason, unless it was given up meanwhile: then leave the order as it is."""
        if self.sale_chains.is_waited_for(order):
            yield from self.cancel(order, order.cancel_reason, order.cancel_code or CancelCode.OTHER)
        else:
            self.state.record(facts.CancelDropped(order.id, GIVEN_UP))

    @follows(facts.AuthorizationEnded)
    def after_close(self, _fact: facts.AuthorizationEnded) -> None:
        """Drop cancels that failed or stay pending once no close waits for them: stops cancelled beside them return."""
        for order in list(self.state.ledger.working()):
            is_answered = order.cancel_failed_at is not None or (order.is_cancelling and order.is_leaving)
            if is_answered and not self.sale_chains.is_waited_for(order):
                self.state.record(facts.CancelDropped(order.id, GIVEN_UP))

    def _pause(self, order: Order) -> timedelta:
        """Return the pause after a failure: it doubles up to a limit, so a recovered broker is asked soon (EX-15)."""
        limits = self.state.control.settings.execution
        first, longest = float(limits.cancel_retry_seconds), float(limits.cancel_longest_seconds)
        return timedelta(seconds=min(first * 2 ** min(order.cancel_failures - 1, 10), max(first, longest)))


def _words(reply: CancelAnswered) -> str:
    if isinstance(reply.answer, NotFound):
        return "the broker did not find it"
    if isinstance(reply.answer, NoAnswer):
        return f"the broker did not answer: {reply.answer.reason}"
    return getattr(reply.answer, "message", "refused")


def _kind(reply: CancelAnswered) -> RefusalKind | None:
    return reply.answer.kind if isinstance(reply.answer, Refused) else None


class Replacement:
    def __init__(self, state: TradingState, order_recovery: OrderRecovery, cancellation: Cancellation) -> None:
        self.state = state
        self.order_recovery = order_recovery
        self.cancellation = cancellation

    @follows(facts.OrderFilled)
    def after_fill(self, fact: facts.OrderFilled) -> Iterator[Effect]:
        order = self.state.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        self._withdraw(order, "the order filled further; change what is left of it")
        replacement = self.state.ledger.chains.replacement(order)
        if replacement is not None and not replacement.only_reduces and not replacement.is_cancelling:
            why = "the order that it replaces filled further meanwhile"
            yield from self.cancellation.cancel(replacement, why, CancelCode.FILLED_FURTHER)

    @follows(facts.OrderStateChanged)
    def after_change(self, fact: facts.OrderStateChanged) -> Iterable[Effect]:
        """Look up the end of an order once the broker has its replacement."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is None:
            return ()
        if fact.after.is_terminal:
            self._withdraw(order, "the order that it would replace is over")
            return ()
        old = self.state.ledger.chains.replaced(order) if fact.before is OrderStatus.PENDING else None
        return () if old is None else self.order_recovery.ask(old)

    def _withdraw(self, order: Order, reason: str) -> None:
        """Withdraw a change that was staged for an earlier state of the order."""
        waiting = self.state.stage.replacement_of(order.id)
        if waiting is not None:
            self.state.record(facts.ProposalEnded(waiting.id, ProposalEnd.WITHDRAWN, reason))


NOT_CONFIRMED = "the broker's warning was not confirmed in time"


class BrokerWarnings:
    ACTS_BY_TIME = True
    DUE_BY_FACTS = True

    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @answers(SubmissionAnswered)
    def on_answered(self, reply: SubmissionAnswered) -> Iterable[Effect]:
        """Record the warnings of an answer; each answer's warnings need their own confirmation."""
        order = self.state.ledger.order(reply.client_order_id)
        if order is not None and isinstance(reply.answer, Accepted) and reply.answer.warnings:
            self.state.record(facts.BrokerWarned(order.id, reply.answer.warnings))
        return ()

    @answers(ConfirmWarning)
    def on_confirm(self, command: ConfirmWarning) -> Iterable[Effect]:
        """Confirm exactly the warnings that the operator read; warnings that came meanwhile stay unconfirmed."""
        order = self.state.ledger.order(command.client_order_id)
        if order is not None and order.warning_waits and order.warnings == command.warnings:
            self.state.record(facts.WarningConfirmed(order.id, *seat_at(self.state, command)))
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (at for _, at in self._to_take_back())

    def due(self) -> Iterator[Effect]:
        for order, at in list(self._to_take_back()):
            if self.state.at >= at:
                yield from self.cancellation.cancel(order, NOT_CONFIRMED, CancelCode.WARNING)

    def _to_take_back(self) -> Iterator[tuple[Order, datetime]]:
        timeout = timedelta(seconds=float(self.state.control.settings.execution.warning_seconds))
        for order in self.state.ledger.warned():
            at = order.taken_back_at(timeout)
            if at is not None:
                yield order, at
