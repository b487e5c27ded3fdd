"""The way of the key: a proposal opens as a ticket, is confirmed, reviewed on fresh figures, and only then released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.execution.order import nearest_first
from core.facts import (
    ApprovalRedeemed,
    ConfirmationReceived,
    ConfirmationRefused,
    OrderApproved,
    ProposalEnded,
    TicketClosed,
    TicketOpened,
)
from core.messages.commands import Confirm, LookAt, OpenTicket
from core.messages.effects import Effect, FetchFigures
from core.messages.inputs import FiguresFetched, Leaving
from core.model.account import Account
from core.model.broker import FreshFigures
from core.model.codes import ProposalEnd
from core.model.order import OrderRequest, OrderType, StopHolder, Terms
from core.model.quote import Quote
from core.model.sender import seat_of
from core.model.staging import (
    Approval,
    AuthorizationKind,
    Proposal,
    Review,
    ReviewFigures,
    StandingAuthorization,
    StopPlan,
    Ticket,
    digest_of_ticket,
)
from core.model.values import (
    ZERO,
    ClientOrderId,
    Fraction,
    Money,
    Price,
    ProposalId,
    Quantity,
    TicketId,
    plain,
    rounded_down,
)
from core.risk.checks.buying_power import free_for
from core.risk.checks.margin import margin_effect
from core.risk.gate import Gate, ReviewContext
from core.risk.margin import MarginEffect
from core.staging.expiry import end_of_session, end_of_stops
from core.staging.resting_entries import time_to_live
from core.staging.stage_state import Confirmation
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.base.follow_up import follow_up
from core.workflows.base.isolation import apart
from core.workflows.orders.position_close import PositionClose, exit_reason_of
from core.workflows.orders.submission import Intent, Submission
from core.workflows.staging.confirmation_checks import reviewed, touch_of, verdicts_at_the_key
from core.workflows.staging.exit_preview import watched_exits
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.proposals import candidate_of, effect_of_exit, left_to_close

AT_THE_MARKET: Terms = OrderType.MARKET, None, None, None, None
NOBODY = ProposalId("")
"""For figures that no proposal asked for."""
NO_TICKET = "there is no such ticket; open the proposal again"
LEFT = "the desk left before it was sent"
STOPS_CHANGED = "the stops at the broker have changed since; open the proposal again"


class Confirmations:
    def __init__(
        self,
        state: TradingState,
        gate: Gate,
        order_changes: OrderChanges,
        submission: Submission,
        position_close: PositionClose,
    ) -> None:
        self.state = state
        self.gate = gate
        self.order_changes = order_changes
        self.submission = submission
        self.position_close = position_close
        self.opening: dict[ProposalId, datetime] = {}
        self.opened_on: tuple[TicketId, FreshFigures | None] | None = None
        """The last ticket that was opened, and the figures that it was opened on."""
        self._to_sign: set[ProposalId] = set()

    # ── the ticket ───────────────────────────────────────────────────────────────────────────────────────────────

    @answers(OpenTicket)
    def on_open_ticket(self, command: OpenTicket) -> Iterator[Effect]:
        """Fetch what the ticket shows; it opens when the figures are there, or without them in time."""
        proposal = self.state.stage.state.proposals.get(command.proposal_id)
        if proposal is None or self.state.stage.is_confirming(proposal.id):
            return
        self._to_sign.discard(proposal.id)
        if command.unattended:
            self._to_sign.add(proposal.id)
        if proposal.id in self.opening:
            return
        self.opening[proposal.id] = self.state.at + self._review_time()
        yield FetchFigures(proposal.id, None, proposal.symbol)

    @answers(LookAt)
    def on_look_at(self, command: LookAt) -> Iterator[Effect]:
        """Sightings for who types an order; no proposal waits for them, and no ticket opens."""
        if command.symbol in self.state.control.settings.symbols:
            yield FetchFigures(NOBODY, None, command.symbol)

    @answers(FiguresFetched)
    def on_figures(self, reply: FiguresFetched) -> Iterable[Effect]:
        fresh = reply.answer if isinstance(reply.answer, FreshFigures) else None
        if fresh is not None:
            self._remember(fresh)
        if reply.ticket_id is None:
            return self._show(reply.proposal_id, fresh)
        return self._decide(reply.ticket_id, fresh)

    def _show(self, proposal_id: ProposalId, fresh: FreshFigures | None) -> Iterable[Effect]:
        proposal = self.state.stage.state.proposals.get(proposal_id)
        if self.opening.pop(proposal_id, None) is None or proposal is None:
            return ()
        for older in [t for t in self.state.stage.state.tickets.values() if t.proposal_id == proposal_id]:
            self.state.record(TicketClosed(older.id, "opened again"))
        shown = replace(proposal, order=self._clamped(proposal))
        if shown.order.quantity <= 0:
            self.state.record(
                ProposalEnded(
                    proposal.id, ProposalEnd.WITHDRAWN, "an exit of all of it is working already; Orders shows it"
                )
            )
            return ()
        ticket = self.ticket(shown, fresh)
        self.opened_on = ticket.id, fresh
        self.state.record(TicketOpened(ticket))
        return follow_up(self.state)

    def _clamped(self, proposal: Proposal) -> OrderRequest:
        """The order that the ticket shows: an exit is for no more than what is left to close by now."""
        order = proposal.order
        left = left_to_close(self.state, proposal.symbol, proposal.strategy, order.side)
        if not proposal.is_exit or order.quantity <= left:
            return order
        if order.legs:
            left = Quantity(rounded_down(left, Decimal(1)))
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        held = abs(position.quantity) if position is not None else ZERO
        return replace(order, quantity=left, effect=effect_of_exit(order.side, left, held))

    def ticket(self, proposal: Proposal, fresh: FreshFigures | None) -> Ticket:
        """What is shown of a proposal and can be signed; it is recorded by whoever opens it."""
        at = self.state.at
        context = self.state.figures_for(at, proposal.symbol, fresh)
        cancels = in_the_way(self.state, proposal)
        life = timedelta(seconds=float(self.state.control.settings.staging.ticket_seconds))
        ends_at = at + life if proposal.expires_at is None else min(at + life, proposal.expires_at)
        candidate = candidate_of(proposal)
        price = candidate.price(context.quote)
        unattended = watched_exits(self.state, proposal) if proposal.id in self._to_sign else ()
        return Ticket(
            id=self.state.stage.next_ticket_id(),
            proposal_id=proposal.id,
            account=self.state.account_name,
            order=proposal.order,
            stop=proposal.stop,
            cancels=cancels,
            digest=digest_of_ticket(self.state.account_name, proposal.order, proposal.stop, cancels, unattended),
            opened_at=at,
            ends_at=ends_at,
            figures=figures_of(proposal, price, context),
            review=self.gate.review(candidate, context),
            price_at_opening=touch_of(proposal.order.side, context),
            unattended=unattended,
        )

    # ── the key ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(Confirm)
    def on_confirm(self, command: Confirm) -> Iterator[Effect]:
        """The operator turned the key. Nothing is sent yet: fresh figures first (OP-03).

        While they are on their way a key that is held or pressed again counts for nothing: the first turn stands.
        """
        ticket = self.state.stage.state.tickets.get(command.ticket_id)
        if ticket is not None and self.state.stage.is_confirming(ticket.proposal_id):
            return
        refusal = self._refusal(ticket, command)
        if ticket is None or refusal is not None:
            self.state.record(ConfirmationRefused(command.ticket_id, (refusal or NO_TICKET,)))
            return
        self.state.record(
            ConfirmationReceived(
                ticket.id, ticket.digest, self._approval(ticket), self.mandates(ticket), *seat_of(command.sender)
            )
        )
        yield FetchFigures(ticket.proposal_id, ticket.id, ticket.order.symbol)

    def turn(self, ticket: Ticket, fresh: FreshFigures) -> Iterator[Effect]:
        """The key of an exit that was signed with its entry, on the figures that its ticket was opened with (OP-06)."""
        self.state.record(ConfirmationReceived(ticket.id, ticket.digest, self._approval(ticket), self.mandates(ticket)))
        yield from self._decide(ticket.id, fresh)

    def _refusal(self, ticket: Ticket | None, command: Confirm) -> str | None:
        if ticket is None:
            return NO_TICKET
        if ticket.id in self.state.stage.state.confirmations:
            return "this ticket was confirmed already; open the proposal again"
        if self.state.at >= ticket.ends_at:
            return "the ticket's time is over; open the proposal again"
        if command.digest != ticket.digest:
            return "the ticket changed before the key came; open the proposal again"
        if (command.effect, command.replaces) != (ticket.order.effect, ticket.order.replaces):
            return f"that key does something else; this ticket needs {ticket.order.confirming_key}"
        if in_the_way(self.state, self.state.stage.state.proposals[ticket.proposal_id]) != ticket.cancels:
            return STOPS_CHANGED
        return None

    def _approval(self, ticket: Ticket) -> Approval:
        life = timedelta(seconds=float(self.state.control.settings.staging.approval_seconds))
        return Approval(
            id=str(ticket.id),
            ticket_id=ticket.id,
            mandate_id=None,
            order_digest=ticket.order.digest(ticket.account),
            lapses_at=self.state.at + life,
        )

    def mandates(self, ticket: Ticket) -> tuple[StandingAuthorization, ...]:
        """What the ticket lists beyond its own order, each with its own end."""
        if isinstance(ticket.stop, StopPlan) and ticket.stop.holder is StopHolder.BROKER:
            guard: Terms = OrderType.STOP, None, ticket.stop.price, None, None
            if ticket.stop.behind is not None:
                guard = OrderType.TRAILING_STOP, None, None, ticket.stop.behind, None
            protective = self._mandate(ticket, AuthorizationKind.PROTECTIVE_STOP, guard, self._end_of_stops(ticket))
            return (protective, *self._signed_exits(ticket))
        if not ticket.cancels:
            return self._signed_exits(ticket)
        life = timedelta(seconds=float(self.state.control.settings.staging.close_seconds))
        return (
            self._mandate(ticket, AuthorizationKind.CLOSE, ticket.order.terms, self.state.at + life),
            *self._stops_to_put_back(ticket),
        )

    def _signed_exits(self, ticket: Ticket) -> tuple[StandingAuthorization, ...]:
        if not ticket.unattended:
            return ()
        ends_at = end_of_session(self.state.calendar, ticket.order, self.state.at)
        return (self._mandate(ticket, AuthorizationKind.EXITS, AT_THE_MARKET, ends_at),)

    def _stops_to_put_back(self, ticket: Ticket) -> Iterator[StandingAuthorization]:
        """One mandate a set of terms of the stops that make way; which of a stop and its replacement shows then.

        The nearest first: what a part leaves is guarded where it loses least (the ticket says so).
        """
        signed: dict[Terms, Decimal] = {}
        stops = [o for order_id in ticket.cancels if (o := self.state.ledger.order(order_id)) is not None]
        for stop in nearest_first(o for o in stops if o.is_protective):
            terms = stop.request.terms
            signed[terms] = signed.get(terms, ZERO) + stop.remaining
        for number, (terms, quantity) in enumerate(signed.items(), start=1):
            mandate = self._mandate(ticket, AuthorizationKind.RESTORE_STOP, terms, self._end_of_stops(ticket))
            name = mandate.id if number == 1 else f"{mandate.id}.{number}"
            yield replace(mandate, id=name, quantity=Quantity(quantity))

    def _mandate(
        self, ticket: Ticket, kind: AuthorizationKind, terms: Terms, ends_at: datetime
    ) -> StandingAuthorization:
        is_of_entry = kind in (AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.EXITS)
        side = ticket.order.side.opposite if is_of_entry else ticket.order.side
        return StandingAuthorization(
            id=f"{ticket.id}-{kind.value}",
            kind=kind,
            ticket_id=ticket.id,
            ticket_digest=ticket.digest,
            parent=ticket.order.client_order_id,
            symbol=ticket.order.symbol,
            side=side,
            quantity=ticket.order.quantity,
            stop_price=terms[2],
            ends_at=ends_at,
            terms=terms,
        )

    def _end_of_stops(self, ticket: Ticket) -> datetime:
        """As the ticket named it when it was opened."""
        return end_of_stops(self.state.calendar, ticket.order, ticket.opened_at)

    # ── the decision ─────────────────────────────────────────────────────────────────────────────────────────────

    def _decide(self, ticket_id: TicketId, fresh: FreshFigures | None) -> Iterator[Effect]:
        """Everything is checked again, on figures fetched for this very confirmation; then it is redeemed."""
        confirmation = self.state.stage.state.confirmations.get(ticket_id)
        if confirmation is None or confirmation.is_decided or self._was_refused(confirmation):
            return  # decided without these figures, which came late
        ticket, proposal = confirmation.ticket, confirmation.proposal
        refusal = self.state.stage.refusal_to_redeem(
            confirmation.approval, ticket.order.digest(ticket.account), self.state.at
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
        self.state.record(ProposalEnded(proposal.id, ProposalEnd.SENT, "confirmed"))
        yield from self._release(confirmation, context)

    def _refuse(
        self, confirmation: Confirmation, reasons: tuple[str, ...], checks: tuple[str, ...] = ()
    ) -> Iterable[Effect]:
        self.state.record(ConfirmationRefused(confirmation.ticket.id, reasons, checks))
        return follow_up(self.state)

    @answers(Leaving)
    def on_leaving(self, _message: Leaving) -> Iterator[Effect]:
        """An exit goes on with a warning, as where its figures did not come in time; an entry is not sent any more."""
        for confirmation in self.undecided():
            if confirmation.proposal.only_reduces:
                yield from apart(self.state, partial(self._decide, confirmation.ticket.id, None))
            else:
                self.state.record(ConfirmationRefused(confirmation.ticket.id, (LEFT,)))

    def undecided(self) -> list[Confirmation]:
        """The turned keys whose figures are on their way."""
        return [c for c in self.state.stage.state.confirmations.values() if not c.is_decided and not c.is_void]

    def _was_refused(self, confirmation: Confirmation) -> bool:
        """Whether this turned key was refused; a wrong key on the same ticket before it was not this one."""
        return confirmation.is_void and confirmation.ticket.id in self.state.stage.state.refusals

    def _doubts(self, confirmation: Confirmation, context: ReviewContext) -> tuple[str, ...]:
        """What refuses whatever the order does: a change that cannot be made, an exit of more than is left, a signal
        whose time is over.
        """
        proposal = confirmation.proposal
        if refusal := self.order_changes.refusal(proposal, context.quote):
            return (refusal,)
        if proposal.only_reduces and (refusal := self.state.read_only_refusal(confirmation.ticket.order)):
            return (refusal,)
        if proposal.is_guard:
            return ()
        if proposal.only_reduces:
            if in_the_way(self.state, proposal) != confirmation.ticket.cancels:
                return (STOPS_CHANGED,)
            left = left_to_close(
                self.state, proposal.symbol, proposal.strategy, proposal.order.side, confirmation.ticket.id
            )
            is_too_much = confirmation.ticket.order.quantity > left
            return (f"only {plain(left)} are left to close by now; open it again",) if is_too_much else ()
        if proposal.expires_at is not None and self.state.at >= proposal.expires_at:
            return ("the signal's time is over; wait for the next one",)
        return ()

    def _approved(self, confirmation: Confirmation, review: Review, fresh: FreshFigures | None) -> OrderApproved:
        account = fresh.account if fresh and isinstance(fresh.account, Account) else None
        quote = fresh.quote if fresh and isinstance(fresh.quote, Quote) else None
        return OrderApproved(
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
                ApprovalRedeemed(
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
                intended_price=proposal.intended_price or touch_of(ticket.order.side, context),
                reference=proposal.reference,
                expires_at=self._order_end(proposal),
                role=self.order_changes.role_of(proposal),
                target_price=proposal.target_price,
                counted_at=None if proposal.only_reduces else candidate_of(proposal).price(context.quote),
            ),
        )

    def _order_end(self, proposal: Proposal) -> datetime | None:
        """A strategy's entry lives as long as its signal (ST-03), a typed one as its own time says, else its day; a
        limit no longer than the settings let it (EX-07). What takes another's place keeps that one's end.
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
        yield from self.opening.values()
        for confirmation in self.undecided():
            yield confirmation.received_at + self._review_time()

    def due(self) -> Iterator[Effect]:
        """No answer in time: the ticket opens without figures; an entry is refused, an exit goes on with a warning."""
        for proposal_id in [p for p, until in self.opening.items() if self.state.at >= until]:
            yield from apart(self.state, partial(self._show, proposal_id, None))
        for confirmation in self.undecided():
            if self.state.at >= confirmation.received_at + self._review_time():
                yield from apart(self.state, partial(self._decide, confirmation.ticket.id, None))

    def _review_time(self) -> timedelta:
        return timedelta(seconds=float(self.state.control.settings.staging.review_seconds))

    def _remember(self, fresh: FreshFigures) -> None:
        self.state.sightings.account = fresh.account
        if isinstance(fresh.quote, Quote):
            self.state.sightings.quotes[fresh.quote.symbol] = fresh.quote


def in_the_way(state: TradingState, proposal: Proposal) -> tuple[ClientOrderId, ...]:
    """What stands in the way of this exit: our own stops and targets, which hold its shares (EX-21), and an entry
    filled in part, whose legs would sell them once more.
    """
    if not proposal.is_exit:
        return ()
    ledger = state.ledger
    exits = ledger.working_exits(proposal.symbol, proposal.strategy)
    entries = ledger.working_entries(proposal.symbol, proposal.strategy)
    return (
        *(order.id for order in exits if order.stands_by and not ledger.is_held(order)),
        *(order.id for order in entries if order.request.legs and order.filled_quantity),
    )


def figures_of(proposal: Proposal, price: Price | None, context: ReviewContext) -> ReviewFigures:
    """What the ticket says in money; a figure that cannot be had is None."""
    order = proposal.order
    cost = order.cost(price) if price is not None else None
    worst = worst_loss_of(proposal, context)
    account = context.account if isinstance(context.account, Account) else None
    share = Fraction(cost / account.equity) if cost is not None and account and account.equity > 0 else None
    after = None
    if cost is not None and account and not proposal.only_reduces:
        after = Money(free_for(order, context.ledger, account) - _taken(proposal, cost, account, context))
    return ReviewFigures(cost, worst, share, after)


def worst_loss_of(proposal: Proposal, context: ReviewContext) -> Money | None:
    """What is lost at its stop, USD; None where it has none, or no price is known."""
    farthest = candidate_of(proposal).farthest(context.quote)
    if not isinstance(proposal.stop, StopPlan) or farthest is None:
        return None
    return proposal.order.risk(proposal.stop.way_from(farthest))


def _taken(proposal: Proposal, cost: Money, account: Account, context: ReviewContext) -> Money:
    """What it takes of the buying power, as the margin check counts it; margin may ask for more than it costs."""
    effect = margin_effect(candidate_of(proposal), context, account) if account.lends else None
    return effect.used if isinstance(effect, MarginEffect) else cost
