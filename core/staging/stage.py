"""The stage: proposals, open tickets, confirmations, approvals and authorizations, folded from facts (OP-02).

It sends nothing and makes no risk decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from core import facts
from core.model.codes import ProposalEnd
from core.model.order import digest_of
from core.model.rescaling import Rescaling
from core.model.session import Calendar
from core.model.signal import ExitReason
from core.model.staging import MANUAL, AuthorizationKind, Proposal
from core.model.values import NO_SHARES, ClientOrderId, ProposalId, Quantity, Symbol, TicketId
from core.staging.stage_state import AuthorizationUse, Confirmation, StageState, TicketRetention


class Stage:
    """The slice of everything between a proposal and an intent.

    Attributes
    ----------
    ended
        The proposal that ended last: later slices read it when they fold its end.
    undecided
        The confirmations that wait for their fresh figures, the first one first.
    """

    name = "proposals"

    def __init__(
        self, calendar: Calendar, is_working: Callable[[ClientOrderId], bool] = lambda _order_id: False
    ) -> None:
        self.calendar = calendar
        self.retention = TicketRetention(calendar, is_working)
        self.state = StageState()
        self.undecided: dict[TicketId, Confirmation] = {}
        self._uses: dict[object, dict[str, AuthorizationUse]] = {}
        """The authorizations by kind, and by kind and parent, each in their order."""
        self.ended: Proposal | None = None
        self.folds = {
            facts.EngineStarted: self._started,
            facts.ProposalStaged: self._staged,
            facts.ProposalSkipped: self._skipped,
            facts.ProposalEdited: self._edited,
            facts.ProposalEnded: self._ended,
            facts.TicketOpened: self._opened,
            facts.TicketClosed: self._closed,
            facts.ConfirmationReceived: self._received,
            facts.TwinConfirmed: self._twin_confirmed,
            facts.ConfirmationRefused: self._refused,
            facts.OrderApproved: self._approved,
            facts.ApprovalRedeemed: self._redeemed,
            facts.OrderCreated: self._created,
            facts.FillReversed: self._reversed,
            facts.PermissionReturned: self._returned,
            facts.StopAskedFor: self._asked_for,
            facts.ExitReleased: self._exit_released,
            facts.SubmissionBlocked: self._blocked,
            facts.AuthorizationEnded: self._authorization_ended,
            facts.AuthorizationProlonged: self._authorization_prolonged,
            facts.SettingsApplied: self._settings_applied,
            facts.BasketSigned: self._plan_signed,
            facts.BasketEnded: self._plan_ended,
            facts.DayStarted: self._day_started,
            facts.CorporateActionApplied: self._split,
            facts.PositionCorrected: self._split,
        }

    def restore(self, state: StageState) -> None:
        self.state = state
        self._index()

    def _index(self) -> None:
        state = self.state
        self.undecided = {id_: c for id_, c in state.confirmations.items() if not c.is_decided and not c.is_void}
        self._uses = {}
        for use in state.authorizations.values():
            self._enter(use)

    def _enter(self, use: AuthorizationUse) -> None:
        authorization = use.authorization
        self.state.authorizations[authorization.id] = use
        for key in (authorization.kind, (authorization.kind, authorization.parent)):
            self._uses.setdefault(key, {})[authorization.id] = use

    def _leave(self, authorization_id: str) -> None:
        use = self.state.authorizations.pop(authorization_id, None)
        if use is not None:
            authorization = use.authorization
            for key in (authorization.kind, (authorization.kind, authorization.parent)):
                del self._uses[key][authorization_id]
                if not self._uses[key]:
                    del self._uses[key]

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def proposals(self) -> tuple[Proposal, ...]:
        """Return the waiting proposals: owed stops first, then exits, other stops and entries, each by age."""
        waiting = self.state.proposals.values()
        return tuple(
            sorted(waiting, key=lambda p: (not p.is_owed, not p.is_exit, not p.only_reduces, p.staged_at, p.id))
        )

    def replacement_of(self, order_id: ClientOrderId) -> Proposal | None:
        """Return the proposal that waits to replace this order."""
        return next((p for p in self.state.proposals.values() if p.order.replaces == order_id), None)

    def entry_waits(self, symbol: Symbol, strategy: str) -> bool:
        return any(
            p.symbol == symbol and p.strategy == strategy and not p.only_reduces for p in self.state.proposals.values()
        )

    def exit_waiting(self, symbol: Symbol, strategy: str) -> Proposal | None:
        """Return a strategy's staged exit of a position; a manual close is left to the operator."""
        return next(
            (
                p
                for p in self.state.proposals.values()
                if p.symbol == symbol
                and p.strategy == strategy
                and p.is_exit
                and p.exit_reason not in (ExitReason.MANUAL, ExitReason.KILL)
            ),
            None,
        )

    def is_confirming(self, proposal_id: ProposalId) -> bool:
        """Return whether a confirmation of this proposal still waits for its fresh figures."""
        return any(c.proposal.id == proposal_id for c in self.undecided.values())

    def entries_confirmed(self, strategy: str) -> Iterator[ClientOrderId]:
        """Yield a strategy's confirmed entries, the first one first."""
        of = (each for each in self.confirmed_entries() if each.proposal.strategy == strategy)
        return (each.ticket.order.client_order_id for each in of)

    def confirmed_entries(self) -> Iterator[Confirmation]:
        """Yield confirmed entries that wait for their fresh figures, the first one first."""
        for each in self.undecided.values():
            if not each.proposal.only_reduces and each.ticket.order.replaces is None:
                yield each

    def authorizations(
        self, kind: AuthorizationKind, parent: ClientOrderId | None = None
    ) -> tuple[AuthorizationUse, ...]:
        """Return the valid authorizations of a kind, of one order or of all."""
        uses = self._uses.get(kind if parent is None else (kind, parent))
        return tuple(uses.values()) if uses else ()

    def signed_exits(self, entry: ClientOrderId, at: datetime) -> AuthorizationUse | None:
        """Return the valid authorization to send exits of this entry's position without a key (OP-06)."""
        return next(
            (use for use in self.authorizations(AuthorizationKind.EXITS, entry) if at <= use.authorization.ends_at),
            None,
        )

    def named(self, at: datetime) -> set[ClientOrderId]:
        """Return orders that a confirmation or a waiting proposal may still refer to."""
        over = self.retention.over(self.state, at)
        found = {proposal.order.replaces for proposal in self.state.proposals.values()}
        found |= {
            use.authorization.parent
            for use in self.state.authorizations.values()
            if use.authorization.ticket_id not in over
        }
        for ticket_id, confirmation in self.state.confirmations.items():
            if ticket_id not in over:
                order = confirmation.ticket.order
                found |= {order.client_order_id, order.replaces, *confirmation.ticket.cancels}
        return {name for name in found if name is not None}

    def next_ticket_id(self) -> TicketId:
        """Return the next ticket's id, by its number among all that were opened: sixteen hex digits."""
        return TicketId(digest_of("ticket", str(self.state.tickets_opened + 1))[:16])

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _started(self, _at: datetime, _fact: facts.EngineStarted) -> None:
        """Handle a restart: proposals and authorizations stay; open tickets and unused confirmations are void."""
        self.state.redeemed.clear()
        self.state.tickets.clear()
        for confirmation in self.state.confirmations.values():
            if confirmation.approval.id not in self.state.used and not confirmation.is_void:
                confirmation.is_void = True
                self._drop_authorizations(confirmation.ticket.id)
        for use in self.authorizations(AuthorizationKind.BASKET):
            self._leave(use.authorization.id)
        self._index()

    def _staged(self, at: datetime, fact: facts.ProposalStaged) -> None:
        if self.retention.forget(self.state, at):
            self._index()
        self.state.proposals[fact.proposal.id] = fact.proposal
        self.state.reviews[fact.proposal.id] = fact.review
        if fact.proposal.strategy == MANUAL or fact.proposal.exit_reason in (
            ExitReason.MANUAL,
            ExitReason.KILL,
        ):
            self.state.manual_orders += 1
        if fact.proposal.is_guard or fact.proposal.order.replaces is not None:
            self.state.changes += 1

    def _skipped(self, _at: datetime, _fact: facts.ProposalSkipped) -> None:
        self.state.skipped += 1

    def _edited(self, _at: datetime, fact: facts.ProposalEdited) -> None:
        self.state.proposals[fact.proposal.id] = fact.proposal
        self.state.reviews[fact.proposal.id] = fact.review
        self._drop_tickets(fact.proposal.id)

    def _ended(self, _at: datetime, fact: facts.ProposalEnded) -> None:
        self.ended = self.state.proposals.pop(fact.proposal_id, None)
        self.state.reviews.pop(fact.proposal_id, None)
        if fact.end is not ProposalEnd.SENT:
            proposal_id = fact.proposal_id
            for confirmation in [c for c in self.undecided.values() if c.proposal.id == proposal_id]:
                self._void(confirmation)
        self._drop_tickets(fact.proposal_id)

    def _opened(self, _at: datetime, fact: facts.TicketOpened) -> None:
        self.state.tickets_opened += 1
        self.state.tickets[fact.ticket.id] = fact.ticket

    def _closed(self, _at: datetime, fact: facts.TicketClosed) -> None:
        self.state.tickets.pop(fact.ticket_id, None)

    def _received(self, at: datetime, fact: facts.ConfirmationReceived) -> None:
        ticket = self.state.tickets[fact.ticket_id]
        self.state.confirmed += 1
        hold = None if fact.turn is None else fact.turn.hold
        self.state.confirmations[ticket.id] = self.undecided[ticket.id] = Confirmation(
            ticket, self.state.proposals[ticket.proposal_id], fact.approval, at, hold=hold
        )
        for authorization in fact.authorizations:
            self._enter(AuthorizationUse(authorization))

    def _twin_confirmed(self, _at: datetime, fact: facts.TwinConfirmed) -> None:
        self.state.confirmations[fact.ticket_id].twin_of = fact.like

    def _refused(self, _at: datetime, fact: facts.ConfirmationRefused) -> None:
        self.state.refused += 1
        self.state.refusals[fact.ticket_id] = fact.reasons
        if (confirmation := self.undecided.get(fact.ticket_id)) is not None:
            self._void(confirmation)

    def _approved(self, _at: datetime, fact: facts.OrderApproved) -> None:
        confirmation = self.state.confirmations[fact.ticket_id]
        confirmation.is_decided = True
        confirmation.drop_review()
        self.undecided.pop(fact.ticket_id, None)

    def _redeemed(self, _at: datetime, fact: facts.ApprovalRedeemed) -> None:
        if fact.approval.less_of is None:
            self.state.used.add(fact.approval.id)
        else:
            self.state.less[fact.approval.id] = fact.approval.lapses_at
        if fact.approval.authorization_id is not None:
            self.state.authorizations[fact.approval.authorization_id].releases += 1
            self.state.redeemed[fact.client_order_id] = fact.approval.authorization_id, fact.quantity

    def _created(self, _at: datetime, fact: facts.OrderCreated) -> None:
        """Use up the permission when its order is recorded: after a crash in between it is still valid (EX-20,
        EX-22).
        """
        authorization_id, quantity = self.state.redeemed.pop(fact.order.client_order_id, ("", NO_SHARES))
        use = self.state.authorizations.get(authorization_id)
        if use is not None:
            use.released = Quantity(use.released + quantity)

    def _reversed(self, _at: datetime, fact: facts.FillReversed) -> None:
        """Permit the stop of an entry's fills that were taken back again: it may fill anew."""
        for use in self.authorizations(AuthorizationKind.PROTECTIVE_STOP, fact.client_order_id):
            use.released = max(Quantity(use.released - fact.quantity), NO_SHARES)

    def _returned(self, _at: datetime, fact: facts.PermissionReturned) -> None:
        use = self.state.authorizations.get(fact.authorization_id)
        if use is not None and fact.client_order_id not in use.returned:
            use.released = Quantity(use.released - fact.quantity)
            use.returned = (*use.returned, fact.client_order_id)

    def _asked_for(self, _at: datetime, fact: facts.StopAskedFor) -> None:
        """A stop that waits on a new ticket is no longer owed."""
        use = self.state.authorizations.get(fact.authorization_id)
        if use is not None:
            use.released = Quantity(use.released + fact.quantity)

    def _exit_released(self, _at: datetime, fact: facts.ExitReleased) -> None:
        use = self.state.authorizations.get(fact.authorization_id)
        if use is not None:
            use.exits = (*use.exits, ClientOrderId(fact.proposal_id))

    def _blocked(self, _at: datetime, fact: facts.SubmissionBlocked) -> None:
        for confirmation in self.state.confirmations.values():
            if confirmation.ticket.order.client_order_id == fact.client_order_id:
                confirmation.is_told = True

    def _authorization_prolonged(self, _at: datetime, fact: facts.AuthorizationProlonged) -> None:
        use = self.state.authorizations.get(fact.authorization_id)
        if use is not None:
            use.authorization = replace(use.authorization, ends_at=fact.ends_at)

    def _authorization_ended(self, _at: datetime, fact: facts.AuthorizationEnded) -> None:
        self._leave(fact.authorization_id)

    def _settings_applied(self, _at: datetime, _fact: facts.SettingsApplied) -> None:
        """The confirmed exits may differ from the new rules: each needs its key again (OP-06)."""
        for use in self.authorizations(AuthorizationKind.EXITS):
            self._leave(use.authorization.id)

    def _plan_signed(self, _at: datetime, fact: facts.BasketSigned) -> None:
        for authorization in fact.authorizations:
            self._enter(AuthorizationUse(authorization))

    def _plan_ended(self, _at: datetime, fact: facts.BasketEnded) -> None:
        self._drop_authorizations(fact.plan_id)

    def _drop_tickets(self, proposal_id: ProposalId) -> None:
        for ticket in [t for t in self.state.tickets.values() if t.proposal_id == proposal_id]:
            del self.state.tickets[ticket.id]

    def _drop_authorizations(self, ticket_id: TicketId) -> None:
        for authorization_id in [
            i for i, use in self.state.authorizations.items() if use.authorization.ticket_id == ticket_id
        ]:
            self._leave(authorization_id)

    def _void(self, confirmation: Confirmation) -> None:
        confirmation.is_void = True
        confirmation.drop_review()
        del self.undecided[confirmation.ticket.id]
        self._drop_authorizations(confirmation.ticket.id)

    def _split(self, _at: datetime, fact: facts.CorporateActionApplied | facts.PositionCorrected) -> None:
        """Count it on what was signed; forget what a close held at its key: shares from before the split (EX-21).

        Exits that were signed for another symbol need a key again.
        """
        to = None if isinstance(fact, facts.PositionCorrected) else fact.to
        by = _rescaling(fact)
        if by is None:
            return
        for use in [*self.state.authorizations.values()]:
            its = use.authorization
            if its.symbol != fact.symbol or self._is_of_its_day(its.ticket_id, fact):
                continue
            if to is not None and its.kind is AuthorizationKind.EXITS:
                self._leave(its.id)
                continue
            is_same_share = to is None and by.ratio == 1
            after = its if is_same_share else replace(its, held=None, symbol=to or its.symbol)
            signed_for = use.signed_for if to is None else use.signed_for or fact.symbol
            self._enter(replace(use, authorization=after, rescaling=use.rescaling.then(by), signed_for=signed_for))

    def _is_of_its_day(self, ticket_id: str, fact: facts.CorporateActionApplied | facts.PositionCorrected) -> bool:
        """Whether its key was turned on the announced day of this action, or later: for shares of after it."""
        if isinstance(fact, facts.PositionCorrected) or fact.evidence is not facts.ActionEvidence.ANNOUNCED:
            return False
        signed = self.state.confirmations.get(TicketId(ticket_id))
        return signed is not None and self.calendar.trading_day(signed.received_at) >= fact.day

    def _day_started(self, at: datetime, _fact: facts.DayStarted) -> None:
        self.retention.begin_day(self.state, at)
        self._index()


def _rescaling(fact: facts.CorporateActionApplied | facts.PositionCorrected) -> Rescaling | None:
    """Return what one share of before is after it; None if it changes nothing that was signed."""
    if isinstance(fact, facts.CorporateActionApplied):
        return fact.rescaling if fact.to or fact.moves_prices else None
    return None if fact.split_ratio is None else Rescaling(fact.split_ratio)
