"""Whether the facts of an adopted draft still agree with the desk, and what the operator must review first (OP-14)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from core.model.draft import CheckedFact, DraftOutcome, DraftTerms, FactResult
from core.model.staging import Proposal, StopPlan
from core.model.text_sanitizer import harmless
from core.model.values import plain
from core.trading_state.state import TradingState
from core.workflows.drafting import check_fact

DIFFERS = "a fact of the draft differs"


def facts_now(state: TradingState, outcome: DraftOutcome, proposal: Proposal | None = None) -> tuple[CheckedFact, ...]:
    """Return the facts of a draft as they compare with the desk's figures now.

    One that differed when it was drafted still does where the desk has no such figure any more. With its proposal the
    distance of the stop is that of the order as it was edited since.
    """
    terms = outcome.draft.terms
    if proposal is not None and not proposal.only_reduces:
        stop = proposal.stop.price if isinstance(proposal.stop, StopPlan) else None
        terms = replace(terms, limit_price=proposal.order.limit_price, stop_price=stop)
    return tuple(_as_of_now(state, stated, terms) for stated in outcome.draft.facts)


def _as_of_now(state: TradingState, stated: CheckedFact, terms: DraftTerms) -> CheckedFact:
    now = check_fact(state, stated.fact, terms)
    is_forgotten = stated.result is FactResult.DIFFERS and now.result is FactResult.UNKNOWN
    return stated if is_forgotten else now


def differing_now(state: TradingState, proposal: Proposal) -> dict[int, CheckedFact]:
    """Return the facts that differ now, by their place in the draft; none for a proposal that was no draft."""
    outcome = state.drafts.of_proposal(proposal.id)
    if outcome is None:
        return {}
    checked = enumerate(facts_now(state, outcome, proposal))
    return {place: fact for place, fact in checked if fact.result is FactResult.DIFFERS}


def refusal_of_facts(state: TradingState, proposal: Proposal, reviewed: Collection[int] = ()) -> str | None:
    """Return why its key does not count: a fact differs that the operator has not reviewed; None if none does."""
    unread = [fact for place, fact in differing_now(state, proposal).items() if place not in reviewed]
    if not unread:
        return None
    stated, ours = unread[0].fact, unread[0].ours
    words = " ".join(part for part in (stated.symbol, stated.field, plain(stated.value)) if part)
    found = unread[0].why if ours is None else f"the desk has {plain(ours)}"
    more = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
    return f"{DIFFERS}: {harmless(words)}, {found}{more}"
