"""Whether the facts of an adopted draft still agree with the desk, and what the operator must review first (OP-14)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from core import facts
from core.model.draft import CheckedFact, DraftOutcome, FactResult
from core.model.staging import Proposal, StopPlan
from core.model.text_sanitizer import foreign
from core.model.values import ProposalId, plain
from core.trading_state.state import TradingState
from core.workflows.drafting import fact_now
from core.workflows.workflow import follows

DIFFERS = "a fact of the draft differs"


class FalseFacts:
    """Records what could not be checked and differs at a ticket: it stays false when the desk forgets its figure."""

    def __init__(self, state: TradingState) -> None:
        self.state = state

    @follows(facts.TicketOpened)
    def after_opening(self, fact: facts.TicketOpened) -> None:
        self._note(fact.ticket.proposal_id)

    @follows(facts.ConfirmationRefused)
    def after_refusal(self, fact: facts.ConfirmationRefused) -> None:
        ticket = self.state.stage.state.tickets.get(fact.ticket_id)
        if ticket is not None:
            self._note(ticket.proposal_id)

    def _note(self, proposal_id: ProposalId) -> None:
        outcome = self.state.drafts.of_proposal(proposal_id)
        proposal = self.state.stage.state.proposals.get(proposal_id)
        if outcome is None or proposal is None:
            return
        unknown = {stated.fact for stated in outcome.draft.facts if stated.result is FactResult.UNKNOWN}
        found = tuple(
            each
            for each in differing_now(self.state, proposal).values()
            if each.fact in unknown and each.result is FactResult.DIFFERS
        )
        if found:
            self.state.record(facts.DraftDiffered(outcome.number, found))


def facts_now(state: TradingState, outcome: DraftOutcome, proposal: Proposal | None = None) -> tuple[CheckedFact, ...]:
    """Return the facts of a draft as they stand now (`fact_now`).

    One that was found to differ keeps the figure that it was compared with. With its proposal the distance of the stop
    is that of the order as it was edited since.
    """
    draft, terms = outcome.draft, outcome.draft.terms
    if proposal is not None and not proposal.only_reduces:
        stop = proposal.stop.price if isinstance(proposal.stop, StopPlan) else None
        terms = replace(terms, limit_price=proposal.order.limit_price, stop_price=stop)
    return tuple(fact_now(state, draft, stated, terms) for stated in draft.facts)


def differing_now(state: TradingState, proposal: Proposal) -> dict[int, CheckedFact]:
    """Return the facts to review, by their place in the draft; none for a proposal that was no draft."""
    outcome = state.drafts.of_proposal(proposal.id)
    if outcome is None:
        return {}
    checked = enumerate(facts_now(state, outcome, proposal))
    return {place: fact for place, fact in checked if fact.needs_review}


def refusal_of_facts(state: TradingState, proposal: Proposal, reviewed: Collection[int] = ()) -> str | None:
    """Return why its key does not count: a fact differs that the operator has not reviewed; None if none does."""
    unread = [fact for place, fact in differing_now(state, proposal).items() if place not in reviewed]
    if not unread:
        return None
    stated, ours = unread[0].fact, unread[0].ours
    words = " ".join(part for part in (stated.symbol, stated.field, plain(stated.value)) if part)
    found = unread[0].why if ours is None else f"the desk has {plain(ours)}"
    more = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
    return f"{DIFFERS}: {foreign(words)}, {found}{more}"
