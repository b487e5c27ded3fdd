"""The status of a ticket: the engine's views of one proposal, and which of its tickets counts.

Nothing is drawn or sent here. A ticket from before a request for new figures does not count, even if it arrives late.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from console.arming import ShownTicket
from core.model.codes import DeskState, ProposalEnd
from core.model.values import ClientOrderId, Price, ProposalId, Quantity
from core.views import DeskView, NotEdited, ProposalRow, TicketView


class TicketPhase(Enum):
    FETCHING = "fetching figures…"
    READY = "ready"
    CONFIRMING = "confirming on fresh figures…"
    REFUSED = "refused"
    RED = "a check refuses it now"
    EXPIRED = "expired"
    """The ticket has expired; its proposal waits, and another ticket can be opened."""
    OVER = "over"
    """The proposal has ended: sent, declined or expired."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The requested change; `sequence` is the last refusal before it."""

    quantity: Quantity
    limit_price: Price | None
    sequence: int


class TicketStatus:
    """The status of one ticket screen.

    Attributes
    ----------
    shown
        The ticket on the screen; None while its figures are fetched.
    said
        Why it cannot be confirmed, or how it ended.
    is_lost
        Whether it ended because its engine, or the link to it, was lost.
    note
        Shown at the top of a confirmable ticket: why an edit was refused.
    """

    def __init__(self, proposal_id: ProposalId) -> None:
        self.proposal_id = proposal_id
        self.phase = TicketPhase.FETCHING
        self.row: ProposalRow | None = None
        self.shown: TicketView | None = None
        self.said = ""
        self.note = ""
        self.is_lost = False
        self._was_lost = False
        self._older: frozenset[str] = frozenset()
        self._confirmed: ShownTicket | None = None
        self._red: tuple[str, str] | None = None
        self._edit: Edit | None = None

    # ── the console's actions ────────────────────────────────────────────────────────────────────────────────────

    def ask(self, view: DeskView | None) -> None:
        """Request new figures; previous tickets no longer count."""
        known = view.tickets if view is not None else ()
        self._older |= {t.ticket.id for t in known if t.ticket.proposal_id == self.proposal_id}
        if self.shown is not None:
            self._older |= {self.shown.ticket.id}
        self.shown = self._confirmed = self._red = self._edit = None
        self.note = ""
        self.phase = TicketPhase.FETCHING

    def edit(self, edit: Edit, view: DeskView | None) -> None:
        self.ask(view)
        self._edit = edit

    def confirm(self, shown: TicketView) -> None:
        """Note that it was confirmed."""
        self._confirmed = shown_of(shown)
        self.phase = TicketPhase.CONFIRMING

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    def update(self, view: DeskView, *, was_lost: bool = False) -> None:
        """Take a new view; `was_lost` if the engine was lost since the ticket was requested."""
        self._was_lost = was_lost
        found = next((row for row in view.proposals if row.id == self.proposal_id), None)
        ticket = self._ticket_in(view)
        self.row = found or self.row
        if ticket is not None:
            self.shown = ticket
        if self._edit is not None:
            self._look_at_the_edit(self._edit, view)
        self.is_lost = False
        self.phase = self._phase(view, found, ticket)

    @property
    def has_ended(self) -> bool:
        """Whether no key can confirm it any more."""
        return self.phase in (TicketPhase.EXPIRED, TicketPhase.OVER)

    def was_sent(self, view: DeskView) -> bool:
        return any(e.proposal_id == self.proposal_id and e.end is ProposalEnd.SENT for e in view.endings)

    def _ticket_in(self, view: DeskView) -> TicketView | None:
        mine = [t for t in view.tickets if t.ticket.proposal_id == self.proposal_id and t.ticket.id not in self._older]
        return mine[-1] if mine else None

    def _look_at_the_edit(self, edit: Edit, view: DeskView) -> None:
        """Take the result of an edit; the text of a refusal stays while the old order is shown."""
        for row in view.refusals:
            is_newer = row.sequence > edit.sequence
            if is_newer and isinstance(row.refused, NotEdited) and row.refused.proposal_id == self.proposal_id:
                self.note = row.refused.words
        if self.shown is None:
            return
        order = self.shown.ticket.order
        if (order.quantity, order.limit_price) == (edit.quantity, edit.limit_price):
            self.note = ""
            self._edit = None
        elif not self.note:
            self.note = "the order is not the one that was asked for; what stands here is what would be sent"

    def _phase(self, view: DeskView, row: ProposalRow | None, ticket: TicketView | None) -> TicketPhase:
        if row is None:
            ending = next((e for e in reversed(view.endings) if e.proposal_id == self.proposal_id), None)
            self.said = (
                ending.end.with_reason(ending.reason, ending.end.value.upper()) if ending else "this proposal has ended"
            )
            if ending is None and self._was_lost and self._confirmed is not None:
                self._say_it_is_lost(view)
            return TicketPhase.OVER
        if ticket is None:
            return self._without_ticket(row, view)
        shown = shown_of(ticket)
        if ticket.is_confirming or (self._confirmed == shown and not ticket.refused_because):
            return TicketPhase.CONFIRMING
        if ticket.refused_because:
            self.said = "; ".join(ticket.refused_because)
            return TicketPhase.REFUSED
        if not row.effect.only_reduces and ticket.now.refusals:
            self._red = (shown.ticket, "; ".join(f"{v.check}: {v.reason}" for v in ticket.now.refusals))
        if self._red is not None and self._red[0] == shown.ticket:
            self.said = self._red[1]
            return TicketPhase.RED
        return TicketPhase.READY

    def _say_it_is_lost(self, view: DeskView) -> None:
        """Say that the engine was lost, and the result of a confirmation, found by order id in compared books."""
        self.is_lost = True
        self.said = "Engine disconnected: ticket void"
        if self._confirmed is None:
            return
        if any(row.id == ClientOrderId(self.proposal_id) for row in view.orders):
            self.said += ". Confirmed and sent: see Orders"
        elif view.status.word in (DeskState.STARTING, DeskState.READ_ONLY):
            self.said += ". Confirmed; not known yet whether it was sent"
        else:
            self.said += ". Confirmed but not sent: no order exists"

    def _without_ticket(self, row: ProposalRow, view: DeskView) -> TicketPhase:
        if row.is_confirming:
            return TicketPhase.CONFIRMING
        if self.shown is not None:
            self.said = "Ticket expired"
            if self._was_lost and (self._confirmed is not None or view.status.at < self.shown.ticket.ends_at):
                self._say_it_is_lost(view)
            return TicketPhase.EXPIRED
        return TicketPhase.FETCHING


def shown_of(view: TicketView) -> ShownTicket:
    return ShownTicket(view.ticket.id, view.ticket.digest)
