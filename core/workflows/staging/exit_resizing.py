"""Reduce waiting exits and stops with the position, and adjust the effect.

They never grow, and nothing changes while a ticket is open, a confirmation is pending, or a basket contains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from core.facts import ProposalEdited, ProposalEnded
from core.messages.effects import Effect
from core.model.basket import BasketPhase
from core.model.codes import ProposalEnd
from core.model.order import OrderRequest
from core.model.staging import Proposal
from core.model.values import Quantity, rounded_down
from core.risk.gate import Gate
from core.trading_state.state import TradingState
from core.workflows.staging.closing_terms import closing_side, effect_of_exit
from core.workflows.staging.proposal_staging import candidate_of

NO_WHOLE_SHARE = "less than a whole share is left, and the broker holds a pair of exits for whole shares only"


class ExitResizing:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate

    def settle(self, _asked: list[Effect]) -> None:
        """Check after every act that no exit waits for more than is held (EX-13)."""
        for proposal in list(self._free_exits()):
            order = self._fitting(proposal)
            if order.quantity <= 0:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, NO_WHOLE_SHARE))
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
        return replace(order, quantity=Quantity(quantity), effect=effect_of_exit(order.side, quantity, held))
