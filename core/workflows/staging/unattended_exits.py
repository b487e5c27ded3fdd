"""Send exits that were signed with their entry without a key of their own, and resize exits with the position (OP-06).

Only the confirmation differs: a ticket is opened on fresh figures, every check runs, and the stops that reserve the
shares are cancelled first (EX-21). In any doubt the exit waits for a key like any other.

Waiting exits and stops are reduced with the position, and their effect is adjusted; a stop is also reduced to the
shares that have none, and withdrawn if all have one. They never grow, and nothing changes while a ticket is open, a
confirmation is pending, or a basket contains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from core.execution.order import Order
from core.facts import (
    AuthorizationEnded,
    ExitReleased,
    ProposalEdited,
    ProposalEnded,
    ReconciliationPassed,
    TicketClosed,
    TicketOpened,
)
from core.messages.commands import TakeBackExits
from core.messages.effects import Effect
from core.model.basket import BasketPhase
from core.model.broker import NoAnswer
from core.model.codes import AuthorizationCode, EndCode, OwedReason, ProposalEnd
from core.model.order import OrderRequest, OrderStatus, OrderType, TimeInForce
from core.model.position import Position
from core.model.session import NoSession
from core.model.signal import ExitReason
from core.model.staging import AuthorizationKind, Proposal
from core.model.values import ZERO, ProposalId, Quantity, rounded_down
from core.risk.gate import Gate
from core.staging.stage_state import AuthorizationUse
from core.trading_state.state import TradingState
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.exit_change_refusals import unguarded_of
from core.workflows.staging.proposal_intake import candidate_of, closing_side, effect_of_exit
from core.workflows.staging.tickets import Tickets
from core.workflows.workflow import answers, follows

BY_HAND = frozenset({None, ExitReason.MANUAL, ExitReason.KILL})
NEEDS_A_KEY = "it needs your key: the figures did not come in time, or what was signed does not cover it"

TAKEN_BACK = "taken back by the operator: each exit needs your key again"


class AutoExits:
    def __init__(self, state: TradingState, tickets: Tickets, confirmations: Confirmations) -> None:
        self.state = state
        self.tickets = tickets
        self.confirmations = confirmations
        self._asked: set[ProposalId] = set()

    def look(self) -> Iterator[Effect]:
        """Fetch the figures of every waiting, authorized exit that no open ticket shows."""
        if not self.state.stage.authorizations(AuthorizationKind.EXITS):
            return
        looked_at = {ticket.proposal_id for ticket in self.state.stage.state.tickets.values()}
        for proposal in self.state.stage.proposals():
            is_busy = proposal.id in self.tickets.opening or self.state.stage.is_confirming(proposal.id)
            if self._permit(proposal) is None or proposal.id in looked_at or is_busy:
                continue
            self._asked.add(proposal.id)
            yield from self.tickets.open_to_decide(proposal)

    @follows(TicketOpened)
    def after_opening(self, fact: TicketOpened) -> Iterator[Effect]:
        """Send the exit on its ticket's fresh figures, or leave it to a key."""
        ticket, opened_on = fact.ticket, self.tickets.opened_on
        if ticket.proposal_id not in self._asked or opened_on is None or opened_on[0] != ticket.id:
            return
        fresh = opened_on[1]
        self._asked.discard(ticket.proposal_id)
        use = self._permit(self.state.stage.state.proposals[ticket.proposal_id])
        if use is None or fresh is None or isinstance(fresh.broker_time, NoAnswer):
            self.state.record(TicketClosed(ticket.id, NEEDS_A_KEY))
            return
        self.state.record(ExitReleased(ticket.proposal_id, use.authorization.id, ticket.order.quantity))
        yield from self.confirmations.turn(ticket, fresh)

    @follows(ReconciliationPassed)
    def after_agreement(self, _fact: ReconciliationPassed) -> Iterable[Effect]:
        """Send at once an exit that a start or a difference held back, not with the next bar."""
        return self.look()

    @answers(TakeBackExits)
    def on_take_back(self, command: TakeBackExits) -> Iterable[Effect]:
        """End the authorization of exits; a stop at the broker stays.

        This only tightens, so it needs no confirmation.
        """
        position = self.state.ledger.position(command.symbol, command.strategy)
        if position is not None:
            for use in self.state.stage.authorizations(AuthorizationKind.EXITS, position.entry_order):
                self.state.record(AuthorizationEnded(use.authorization.id, TAKEN_BACK, AuthorizationCode.TAKEN_BACK))
        return ()

    def _permit(self, proposal: Proposal) -> AuthorizationUse | None:
        """Return the authorization for the position that it closes; None if there is none, or a person must look first.

        A desk that is halted, killed, not reconciled or in doubt of its clock sends no exit without a key, and one that
        the broker refused is not sent again without a key (EX-14). A halt for absence stops none. None is sent while
        the market is closed: it was signed for the session, which may have ended earlier than was known then (MD-10).
        None is sent while the books show a split that is not proven: the price may be of other shares (EX-25).
        """
        state, order = self.state, proposal.order
        if isinstance(state.calendar.session_at(state.at), NoSession):
            return None
        position = state.ledger.position(proposal.symbol, proposal.strategy)
        if position is None or position.symbol in state.sightings.splitting:
            return None
        if position is None or proposal.exit_reason in BY_HAND or order.type is not OrderType.MARKET:
            return None
        if not proposal.is_exit or not state.control.lets_exits_go:
            return None
        if self._was_refused(position) or self._may_have_been_sold(position):
            return None
        if state.may_have_unknown_orders(position.symbol):
            return None
        use = state.stage.signed_exits(position.entry_order, state.at)
        if use is None or order.side is not use.authorization.side:
            return None
        return use if order.quantity <= use.authorization.quantity - self._sold_by(use) else None

    def _sold_by(self, use: AuthorizationUse) -> Decimal:
        """Return the shares that it sent: filled, or in an order that may still fill."""
        known = (self.state.ledger.order(order_id) for order_id in use.exits)
        sold = (o.request.quantity if o.is_working else o.filled_quantity for o in known if o is not None)
        return sum(sold, ZERO)

    def _may_have_been_sold(self, position: Position) -> bool:
        """Whether the broker lost an exit of it, and refused its stop since: what it lost may work on, or have sold."""
        lost = self.state.ledger.lost_today(position.symbol, self.state.at)
        return any(order.is_protective for order in self._refused(position)) and any(
            order.only_reduces and order.end_code is EndCode.LOST_THERE and order.remaining > 0
            for order in lost
            if order.strategy == position.strategy
        )

    def _was_refused(self, position: Position) -> bool:
        """Whether the broker refused to close shares of it before."""
        return any(order.only_reduces and not order.stands_by for order in self._refused(position))

    def _refused(self, position: Position) -> Iterator[Order]:
        """Yield the orders that the broker refused while the position was open, but not for a blocked account."""
        for order in self.state.ledger.lines.owned(position.symbol, position.strategy):
            is_since = order.status is OrderStatus.REJECTED and order.created_at >= position.began
            if is_since and not order.is_sent_again and not self.state.account_block.explains(order):
                yield order


NO_WHOLE_SHARE = "less than a whole share is left, and the broker holds a pair of exits for whole shares only"
HAS_A_STOP = "its shares have a stop by now"


class ExitResizing:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate

    def settle(self, _asked: list[Effect]) -> None:
        """Check after every act that no exit waits for more than is held (EX-13)."""
        for proposal in list(self._free_exits()):
            order = self._fitting(proposal)
            if order.quantity <= 0:
                why = HAS_A_STOP if proposal.is_guard else NO_WHOLE_SHARE
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, why))
            elif order != proposal.order:
                edited = replace(proposal, order=order)
                context = self.state.figures_for(self.state.at, edited.symbol, None)
                self.state.record(ProposalEdited(edited, self.gate.review(candidate_of(edited), context)))

    def _free_exits(self) -> Iterator[Proposal]:
        """Yield the exits that wait on their own; a replacement is measured by its old order."""
        stage = self.state.stage
        if not any(proposal.only_reduces for proposal in stage.state.proposals.values()):
            return
        held_back = {ticket.proposal_id for ticket in stage.state.tickets.values()} | self._planned()
        for proposal in stage.state.proposals.values():
            is_free = proposal.id not in held_back and not stage.is_confirming(proposal.id)
            if proposal.only_reduces and proposal.order.replaces is None and is_free:
                yield proposal

    def _planned(self) -> set[str]:
        run = self.state.plans.run
        if run is None or run.phase is BasketPhase.OVER:
            return set()
        return {line.proposal.id for line in run.plan.lines}

    def _fitting(self, proposal: Proposal) -> OrderRequest:
        """Return the order for the current position. A flat or reversed position is handled elsewhere."""
        order = proposal.order
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        if position is None or closing_side(position) is not order.side:
            return order
        held = abs(position.quantity)
        quantity = min(order.quantity, held)
        if quantity < order.quantity and order.legs:
            quantity = Quantity(rounded_down(quantity, Decimal(1)))
        if proposal.is_guard and self._is_at_rest(position):
            quantity = min(quantity, unguarded_of(self.state, position))
        lasts = TimeInForce.DAY if proposal.is_guard and quantity % 1 else order.time_in_force
        effect = effect_of_exit(order.side, quantity, held)
        return replace(order, quantity=Quantity(quantity), effect=effect, time_in_force=lasts)

    def _is_at_rest(self, position: Position) -> bool:
        """Whether only stops that the broker accepted work for it: nothing may fail and leave more without one."""
        owing = self.state.owed_stops.of(position)
        exits = self.state.ledger.exits.working(position.symbol, position.strategy)
        return (owing is None or owing.why in (OwedReason.WAITS_FOR_KEY, OwedReason.BLOCKED)) and all(
            o.is_protective and not o.is_cancelling and o.status is not OrderStatus.PENDING for o in exits
        )
