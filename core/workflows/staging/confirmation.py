"""Confirm a ticket: check again on fresh figures, then release the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from core import facts
from core.messages.command_ports import LATE
from core.messages.commands import Confirm
from core.messages.effects import Effect
from core.messages.inputs import FiguresFetched, Leaving
from core.model.account import Account
from core.model.bar import Quote
from core.model.broker import FreshFigures
from core.model.codes import ProposalEnd
from core.model.staging import Proposal, Review, StopPlan, Ticket
from core.model.touch import Touch, TouchCode, TouchPurpose, ticket_message
from core.model.values import TicketId, plain
from core.risk.gate import Gate, ReviewContext
from core.risk.recent_entries import TWIN, WORD, SeenEntry
from core.staging import approvals
from core.staging.stage_state import Confirmation
from core.staging.time_in_force import time_to_live
from core.trading_state.state import TradingState
from core.workflows.draft_review import differing_now, refusal_of_facts
from core.workflows.operator import touch_keys
from core.workflows.operator.command_rights import turn_of
from core.workflows.orders.position_close import PositionClose, exit_reason_of
from core.workflows.orders.submission import Intent, Submission
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.proposal_intake import candidate_of, left_to_close
from core.workflows.staging.ticket_checks import (
    TicketAuthorizations,
    aimed_at_sending,
    is_as_shown,
    reviewed,
    verdicts_at_the_key,
)
from core.workflows.staging.tickets import SharedReadings, review_time
from core.workflows.workflow import answers, apart, follow_up

NO_TICKET = "there is no such ticket; open the proposal again"
LEFT = "the desk left before it was sent"
STOPS_CHANGED = "the stops at the broker have changed since; open the proposal again"


class Confirmations:
    """Confirmations, each from its receipt to its release or refusal."""

    DUE_BY_FACTS = True

    def __init__(
        self,
        state: TradingState,
        gate: Gate,
        authorizations: TicketAuthorizations,
        order_changes: OrderChanges,
        submission: Submission,
        position_close: PositionClose,
        readings: SharedReadings,
    ) -> None:
        self.state = state
        self.gate = gate
        self.authorizations = authorizations
        self.order_changes = order_changes
        self.submission = submission
        self.position_close = position_close
        self.readings = readings

    # ── confirmation ─────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(Confirm)
    def on_confirm(self, command: Confirm) -> Iterator[Effect]:
        """Record the operator's confirmation and fetch fresh figures; send nothing yet (OP-03).

        While they are on their way a repeated key is ignored: the first confirmation counts.
        """
        ticket = self.state.stage.state.tickets.get(command.ticket_id)
        if ticket is not None and self.state.stage.is_confirming(ticket.proposal_id):
            return
        refusal = self._refusal(ticket, command)
        if ticket is None or refusal is not None:
            self.state.record(facts.ConfirmationRefused(command.ticket_id, (refusal or NO_TICKET,)))
            return
        touch = self._touch(ticket, command)
        touch_keys.record(self.state, TouchPurpose.TICKET, ticket.id, touch)
        if isinstance(touch, TouchCode):
            words = f"{touch_keys.TOUCH}: {touch.in_words}; open it again"
            self.state.record(facts.ConfirmationRefused(ticket.id, (words,), (touch_keys.TOUCH,)))
            return
        approval, authorizations = self.authorizations.approval(ticket), self.authorizations.authorizations(ticket)
        seat = turn_of(self.state, command)
        self.state.record(facts.ConfirmationReceived(ticket.id, ticket.digest, approval, authorizations, *seat))
        twin = self._twin_of(ticket)
        if twin is not None:
            self.state.record(facts.TwinConfirmed(ticket.id, twin.id))
        proposal = self.state.stage.state.proposals[ticket.proposal_id]
        self._record_review(ticket, proposal)
        yield self.readings.to_decide(proposal, ticket.id, cancels=len(ticket.cancels))

    def _record_review(self, ticket: Ticket, proposal: Proposal) -> None:
        """Record which facts of its draft differ as the operator confirms it (OP-14)."""
        outcome, found = self.state.drafts.of_proposal(proposal.id), differing_now(self.state, proposal)
        if outcome is not None and found:
            self.state.record(facts.DraftReviewed(outcome.number, ticket.id, tuple(found.values())))

    def turn(self, ticket: Ticket, fresh: FreshFigures) -> Iterator[Effect]:
        """Confirm an exit that was authorized with its entry, on the figures of its ticket (OP-06)."""
        self.state.record(
            facts.ConfirmationReceived(
                ticket.id,
                ticket.digest,
                self.authorizations.approval(ticket),
                self.authorizations.authorizations(ticket),
            )
        )
        yield from self._decide(ticket.id, fresh)

    def _refusal(self, ticket: Ticket | None, command: Confirm) -> str | None:
        if ticket is None:
            return NO_TICKET
        if ticket.id in self.state.stage.state.confirmations:
            return "this ticket was confirmed already; open the proposal again"
        if command.came_late:
            return LATE
        if self.state.at >= ticket.ends_at:
            return "the ticket expired; open the proposal again"
        if command.digest != ticket.digest:
            return "the ticket changed before the key came; open the proposal again"
        if (command.effect, command.replaces) != (ticket.order.effect, ticket.order.replaces):
            return f"that key does something else; this ticket needs {ticket.order.confirming_key}"
        if not is_as_shown(self.state, self.state.stage.state.proposals[ticket.proposal_id], ticket.cancels):
            return STOPS_CHANGED
        proposal = self.state.stage.state.proposals[ticket.proposal_id]
        if (differs := refusal_of_facts(self.state, proposal, command.reviewed)) is not None:
            return f"{differs}; open it again"
        twin = self._twin_of(ticket)
        if twin is not None and command.word != WORD:
            return self._needs_the_word(ticket, twin)
        return None

    def _touch(self, ticket: Ticket, command: Confirm) -> Touch | TouchCode | None:
        """Return the touch that an opening order needs, or why it has none; None if it needs none (OP-15)."""
        if ticket.order.effect.only_reduces or not touch_keys.is_needed(self.state, ticket.figures.cost):
            return None
        nonce = touch_keys.nonce_now(self.state)
        message = ticket_message(self.state.account_name, nonce, ticket.id, ticket.digest)
        return touch_keys.judged(self.state, command, message)

    def _twin_of(self, ticket: Ticket) -> SeenEntry | None:
        """Return the entry that it repeats, as far as is known before its figures are fetched."""
        proposal = self.state.stage.state.proposals[ticket.proposal_id]
        return twin_of(proposal, self.state.figures_for(self.state.at, proposal.symbol, None))

    def _needs_the_word(self, ticket: Ticket, twin: SeenEntry) -> str:
        like = twin.in_words(ticket.order.symbol, self.state.calendar.venue)
        return f"{TWIN}: like {like}: type {WORD}, then {ticket.order.confirming_key}; open it again"

    @answers(FiguresFetched)
    def on_figures(self, _reply: FiguresFetched) -> Iterator[Effect]:
        for asked, fresh in self.readings.complete:
            if asked.ticket_id is not None:
                yield from apart(self.state, partial(self._decide, asked.ticket_id, fresh))

    # ── the decision ─────────────────────────────────────────────────────────────────────────────────────────────

    def _decide(self, ticket_id: TicketId, fresh: FreshFigures | None) -> Iterator[Effect]:
        """Check everything again on figures fetched for this confirmation, then redeem it."""
        confirmation = self.state.stage.state.confirmations.get(ticket_id)
        if confirmation is None or confirmation.is_decided or self._was_refused(confirmation):
            return  # decided already: these figures came late
        ticket, proposal = confirmation.ticket, confirmation.proposal
        refusal = approvals.refusal_to_redeem(
            self.state.stage, confirmation.approval, ticket.order.digest(ticket.account), self.state.at
        )
        if refusal is not None:
            yield from self._refuse(confirmation, (refusal,))
            return
        context = self.state.figures_for(self.state.at, proposal.symbol, fresh)
        review = reviewed(
            self.gate.review(candidate_of(proposal), context),
            *verdicts_at_the_key(self.state, ticket, proposal, fresh, context),
        )
        reasons = tuple(f"{v.check}: {v.reason}" for v in review.refusals) + self._doubts(confirmation, context)
        if reasons:
            yield from self._refuse(confirmation, reasons, tuple(v.check for v in review.refusals))
            return
        self.state.record(self._approved(confirmation, review, fresh))
        self.state.record(facts.ProposalEnded(proposal.id, ProposalEnd.SENT, "confirmed"))
        yield from self._release(confirmation, context)

    def _refuse(
        self, confirmation: Confirmation, reasons: tuple[str, ...], checks: tuple[str, ...] = ()
    ) -> Iterable[Effect]:
        self.state.record(facts.ConfirmationRefused(confirmation.ticket.id, reasons, checks))
        return follow_up(self.state)

    @answers(Leaving)
    def on_leaving(self, _message: Leaving) -> Iterator[Effect]:
        """Decide exits without figures when the desk stops, with a warning; refuse entries."""
        for confirmation in self.undecided():
            if confirmation.proposal.only_reduces:
                yield from apart(self.state, partial(self._decide, confirmation.ticket.id, None))
            else:
                self.state.record(facts.ConfirmationRefused(confirmation.ticket.id, (LEFT,)))

    def refuse_of_other_holds(self, reason: str) -> None:
        """Refuse undecided confirmations from before a hand-over (OP-13)."""
        for confirmation in self.undecided():
            if confirmation.hold is not None and confirmation.hold != self.state.desks.hold:
                self.state.record(
                    facts.ConfirmationRefused(confirmation.ticket.id, (f"{reason}; open the proposal again",))
                )

    def undecided(self) -> list[Confirmation]:
        """Return the confirmations whose figures are on their way."""
        return list(self.state.stage.undecided.values())

    def _was_refused(self, confirmation: Confirmation) -> bool:
        """Whether this confirmation was refused; an earlier wrong key on the same ticket does not count."""
        return confirmation.is_void and confirmation.ticket.id in self.state.stage.state.refusals

    def _doubts(self, confirmation: Confirmation, context: ReviewContext) -> tuple[str, ...]:
        """Return refusals beside the gate: an impossible change, an exit of more than is left, an expired signal."""
        proposal = confirmation.proposal
        if refusal := self.order_changes.refusal(proposal, context.quote):
            return (refusal,)
        if proposal.only_reduces and (refusal := self.state.read_only_refusal(confirmation.ticket.order)):
            return (refusal,)
        if proposal.is_guard:
            return ()
        if proposal.only_reduces:
            if not is_as_shown(self.state, proposal, confirmation.ticket.cancels):
                return (STOPS_CHANGED,)
            if confirmation.ticket.cancels and (block := self.state.account_block.reason_by(context.account)):
                return (f"the broker accepts no orders: {block}; its stop stays: cancel it yourself if it must go",)
            left = left_to_close(
                self.state, proposal.symbol, proposal.strategy, proposal.order.side, confirmation.ticket.id
            )
            is_too_much = confirmation.ticket.order.quantity > left
            return (f"only {plain(left)} are left to close by now; open it again",) if is_too_much else ()
        if proposal.expires_at is not None and self.state.at >= proposal.expires_at:
            return ("the signal expired; wait for the next one",)
        twin = twin_of(proposal, context)
        if twin is not None and confirmation.twin_of is None:
            return (self._needs_the_word(confirmation.ticket, twin),)
        return ()

    def _approved(self, confirmation: Confirmation, review: Review, fresh: FreshFigures | None) -> facts.OrderApproved:
        account = fresh.account if fresh and isinstance(fresh.account, Account) else None
        quote = fresh.quote if fresh and isinstance(fresh.quote, Quote) else None
        return facts.OrderApproved(
            ticket_id=confirmation.ticket.id,
            approval_id=confirmation.approval.id,
            review=review,
            equity=account.equity if account else None,
            buying_power=account.buying_power if account else None,
            bid=quote.bid if quote else None,
            ask=quote.ask if quote else None,
        )

    def _release(self, confirmation: Confirmation, context: ReviewContext) -> Iterator[Effect]:
        ticket, proposal = confirmation.ticket, confirmation.proposal
        if ticket.cancels:
            order = ticket.order
            self.state.record(
                facts.ApprovalRedeemed(
                    confirmation.approval, order.client_order_id, order.digest(ticket.account), order.quantity
                )
            )
            yield from self.position_close.begin(ticket)
            return
        yield from self.submission.release(
            confirmation.approval,
            Intent(
                order=ticket.order,
                proposal_id=proposal.id,
                strategy=proposal.strategy,
                signal_time=proposal.signal_time,
                stop=proposal.stop if isinstance(proposal.stop, StopPlan) else None,
                parent=self.order_changes.parent_of(proposal),
                exit_reason=exit_reason_of(ticket.order, proposal),
                intended_price=aimed_at_sending(ticket.order, proposal.intended_price, context),
                reference=proposal.reference,
                expires_at=self._order_end(proposal),
                role=self.order_changes.role_of(proposal),
                target_price=proposal.target_price,
                counted_at=None if proposal.only_reduces else candidate_of(proposal).price(context.quote),
            ),
        )

    def _order_end(self, proposal: Proposal) -> datetime | None:
        """Return when the desk ends the order: a strategy's entry with its signal (ST-03), a typed one by its own time.

        Without one it ends with its day; a limit at the latest when the settings say (EX-07). A replacement keeps the
        end of the old order.
        """
        if proposal.only_reduces:
            return None
        old = self.state.ledger.order(proposal.order.replaces) if proposal.order.replaces is not None else None
        if old is not None and old.expires_at is not None:
            return old.expires_at
        life = time_to_live(proposal, self.state.control.settings)
        ends = [] if life is None else [self.state.at + life]
        if proposal.reference is not None and proposal.expires_at is not None:
            ends.append(proposal.expires_at)
        return min(ends, default=None)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for confirmation in self.undecided():
            yield confirmation.received_at + review_time(self.state)

    def due(self) -> Iterator[Effect]:
        """Decide confirmations whose figures did not come in time: refuse entries, release exits with a warning."""
        for confirmation in self.undecided():
            if self.state.at >= confirmation.received_at + review_time(self.state):
                yield from apart(self.state, partial(self._decide, confirmation.ticket.id, None))


def twin_of(proposal: Proposal, context: ReviewContext) -> SeenEntry | None:
    """Return the entry of the last seconds that this one repeats (RK-25)."""
    price = candidate_of(proposal).price(context.quote)
    return context.recent.twin_of(proposal.order, price, context.ledger, context.at, context.settings.risk.twins)
