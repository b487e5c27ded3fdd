"""Exits that were signed with their entry go out without a key of their own, each checked afresh at its turn (OP-06).

Nothing is new on their way but who turns the key: a ticket is opened on fresh figures, every check runs, the stops that
hold the shares make way first (EX-21). Where anything is in doubt, the exit waits for a key as any other does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.desk import Desk
from core.effects import Effect
from core.facts import ExitReleased, MandateEnded, TicketClosed, TicketOpened
from core.inputs import OpenTicket, TakeBackExits
from core.model.broker import NoAnswer
from core.model.codes import DeskState, MandateCode
from core.model.order import OrderStatus, OrderType
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MandateKind, Proposal
from core.model.values import ProposalId
from core.staging.stage import MandateUse
from core.workflows.confirming import Confirming
from core.workflows.contract import answers, follows

BY_HAND = frozenset({None, ExitReason.MANUAL, ExitReason.KILL})
NEEDS_A_KEY = "it needs your key: the figures did not come in time, or what was signed does not cover it"

TAKEN_BACK = "taken back by the operator: each exit needs your key again"


class Unattended:
    def __init__(self, desk: Desk, confirming: Confirming) -> None:
        self.desk = desk
        self.confirming = confirming
        self._asked: set[ProposalId] = set()

    def look(self) -> Iterator[Effect]:
        """Every exit that waits, is signed, and that nobody is looking at: its figures are fetched."""
        if not self.desk.stage.mandates(MandateKind.EXITS):
            return
        looked_at = {ticket.proposal_id for ticket in self.desk.stage.state.tickets.values()}
        for proposal in self.desk.stage.proposals():
            is_busy = proposal.id in self.confirming.opening or self.desk.stage.is_confirming(proposal.id)
            if self._permit(proposal) is None or proposal.id in looked_at or is_busy:
                continue
            self._asked.add(proposal.id)
            yield from self.confirming.on_open_ticket(OpenTicket(proposal.id))

    @follows(TicketOpened)
    def after_opening(self, fact: TicketOpened) -> Iterator[Effect]:
        """Its ticket stands on fresh figures: it goes out, or it is left to a key."""
        ticket, opened_on = fact.ticket, self.confirming.opened_on
        if ticket.proposal_id not in self._asked or opened_on is None or opened_on[0] != ticket.id:
            return
        fresh = opened_on[1]
        self._asked.discard(ticket.proposal_id)
        use = self._permit(self.desk.stage.state.proposals[ticket.proposal_id])
        if use is None or fresh is None or isinstance(fresh.broker_time, NoAnswer):
            self.desk.record(TicketClosed(ticket.id, NEEDS_A_KEY))
            return
        self.desk.record(ExitReleased(ticket.proposal_id, use.mandate.id, ticket.order.quantity))
        yield from self.confirming.turn(ticket, fresh)

    @answers(TakeBackExits)
    def on_take_back(self, command: TakeBackExits) -> Iterable[Effect]:
        """What was signed ends; a stop at the broker stays. It only tightens, so it asks nothing."""
        position = self.desk.ledger.position(command.symbol, command.strategy)
        if position is not None:
            for use in self.desk.stage.mandates(MandateKind.EXITS, position.entry_order):
                self.desk.record(MandateEnded(use.mandate.id, TAKEN_BACK, MandateCode.TAKEN_BACK))
        return ()

    def _permit(self, proposal: Proposal) -> MandateUse | None:
        """What was signed for the position that it closes; None where nothing was, or a person has to look first.

        A desk that is halted, killed or not reconciled lets no exit go by itself, and what the broker refused once is
        not sent again by itself (EX-14).
        """
        desk, order = self.desk, proposal.order
        position = desk.ledger.position(proposal.symbol, proposal.strategy)
        if position is None or proposal.exit_reason in BY_HAND or order.type is not OrderType.MARKET:
            return None
        if not proposal.is_exit or desk.control.word() is not DeskState.ON:
            return None
        if self._was_refused(position):
            return None
        use = desk.stage.signed_exits(position.entry_order, desk.at)
        is_within = use is not None and order.side is use.mandate.side and order.quantity <= use.mandate.quantity
        return use if is_within else None

    def _was_refused(self, position: Position) -> bool:
        """Whether the broker refused to close shares of it before."""
        return any(
            order.status is OrderStatus.REJECTED and order.only_reduces and not order.stands_by
            for order in self.desk.ledger.state.orders.values()
            if (order.request.symbol, order.strategy) == (position.symbol, position.strategy)
            if order.created_at >= position.began
        )
