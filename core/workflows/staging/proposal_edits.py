"""Edit the quantity or limit of a waiting proposal: the same id and gate, a new digest. Nothing is sent.

An entry may be edited in both. An exit only gets smaller; its price may change only if a person typed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.facts import EditRefused, ProposalEdited, TicketClosed
from core.messages.commands import EditProposal
from core.messages.effects import Effect
from core.model.order import Effect as OrderEffect
from core.model.signal import ExitReason
from core.model.staging import CheckResult, Proposal
from core.model.values import NO_NUMBER, ZERO, is_number, plain
from core.risk.checks.price_rules import PriceRulesCheck
from core.risk.checks.quantity_rules import QuantityRulesCheck
from core.risk.gate import Gate
from core.staging.attached_legs import target_of, with_legs
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.staging.proposal_staging import candidate_of

NOT_WAITING = "this proposal is over"
CONFIRMING = "it was confirmed already; wait for the broker's answer"
A_STOP = "a stop is moved from its position, in Positions"
TARGET_IS_WHOLE = "the broker holds a target for whole shares only"
FORM = (QuantityRulesCheck(), PriceRulesCheck())
"""Checks that bind an edited exit too: the gate lets exits pass them with a warning."""


class ProposalEdits:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate

    @answers(EditProposal)
    def on_edit(self, command: EditProposal) -> Iterable[Effect]:
        """Edit the proposal: refusals first, then its tickets close and the order changes."""
        stage = self.state.stage
        proposal = stage.state.proposals.get(command.proposal_id)
        refusal = self._refusal(proposal, command)
        if proposal is None or refusal is not None:
            self.state.record(EditRefused(command.proposal_id, (refusal or NOT_WAITING,)))
            return ()
        edited = self._edited(proposal, command)
        review = self.gate.review(candidate_of(edited), self.state.figures_for(self.state.at, edited.symbol, None))
        reasons = (*self._breaks(proposal, edited), *(f"{v.check}: {v.reason}" for v in review.refusals))
        if reasons:
            self.state.record(EditRefused(proposal.id, tuple(dict.fromkeys(reasons))))
            return ()
        self._close_tickets(proposal)
        self.state.record(ProposalEdited(edited, review))
        return ()

    def _close_tickets(self, proposal: Proposal) -> None:
        for ticket in [t for t in self.state.stage.state.tickets.values() if t.proposal_id == proposal.id]:
            self.state.record(TicketClosed(ticket.id, "the proposal was edited"))

    def _refusal(self, proposal: Proposal | None, command: EditProposal) -> str | None:
        if proposal is None:
            return NOT_WAITING
        if self.state.stage.is_confirming(proposal.id):
            return CONFIRMING
        if proposal.is_guard:
            return A_STOP
        if not all(is_number(number) for number in (command.quantity, command.limit_price or ZERO)):
            return NO_NUMBER
        if target_of(proposal.order) is not None and command.quantity % 1:
            return TARGET_IS_WHOLE
        return None

    def _edited(self, proposal: Proposal, command: EditProposal) -> Proposal:
        """Return the edited proposal; an order keeps its limit if none is given."""
        order = proposal.order
        limit = command.limit_price
        if limit is None:
            limit = order.limit_price
        order = replace(order, quantity=command.quantity, limit_price=limit, effect=self._effect(proposal, command))
        if not proposal.only_reduces and order.replaces is None:
            order = with_legs(order, proposal.stop, target_of(order))
        intended = proposal.intended_price if limit == proposal.order.limit_price else limit
        return replace(proposal, order=order, intended_price=intended)

    def _effect(self, proposal: Proposal, command: EditProposal) -> OrderEffect:
        """Return the effect: a close of fewer shares only reduces."""
        order = proposal.order
        is_less = order.effect is OrderEffect.CLOSE and command.quantity < order.quantity
        return OrderEffect.REDUCE if is_less else order.effect

    def _breaks(self, proposal: Proposal, edited: Proposal) -> Iterator[str]:
        """Yield refusals of an edited exit beyond the gate."""
        if not proposal.only_reduces:
            return
        before, after = proposal.order, edited.order
        if after.quantity > before.quantity:
            yield f"an exit only gets smaller: {plain(after.quantity)} is over {plain(before.quantity)}"
        if after.limit_price != before.limit_price and not _is_typed(proposal):
            yield "the price of a strategy's exit is not yours to change; close the position yourself"
        yield from self._malformed(edited)

    def _malformed(self, edited: Proposal) -> Iterator[str]:
        context = self.state.figures_for(self.state.at, edited.symbol, None)
        for check in FORM:
            verdict = check.review(candidate_of(edited), context)
            if verdict.standing is CheckResult.REFUSES:
                yield f"{verdict.check}: {verdict.reason}"


def _is_typed(proposal: Proposal) -> bool:
    return proposal.exit_reason in (ExitReason.MANUAL, ExitReason.KILL)
