"""Build the rows of waiting drafts, and what a ticket shows of the draft that its proposal was (OP-09, OP-14).

A row that did not change is the row of the view before. The texts of an agent are made harmless and short here.
"""

from __future__ import annotations

from dataclasses import replace

from core.model.draft import CheckedFact, Draft, DraftFact, DraftOutcome, FactResult, drafted_by
from core.model.lazy_dataclass import dataclass
from core.model.staging import Proposal
from core.model.text_sanitizer import shortened
from core.model.values import Digest, Money, Price
from core.trading_state.state import TradingState
from core.views.builders.symbols import halted_in_words
from core.views.drafts import DraftRow, TicketDraft
from core.workflows.draft_review import facts_now

REASON, BRIEF, NAME, SOURCE = 600, 120, 24, 40
"""Most cells of a reason in the dialog of a draft, of one on a ticket, of a symbol or field, of a source."""


def shown_reason(state: TradingState, proposal: Proposal) -> tuple[str, str]:
    """Return the agent and the reason of a proposal; the agent is empty if it was no draft."""
    outcome = state.drafts.of_proposal(proposal.id)
    if outcome is None:
        return "", proposal.reason
    draft = outcome.draft
    return draft.agent, f"{drafted_by(draft.agent, draft.number)}: {shortened(draft.reason, BRIEF)}"


def ticket_draft(state: TradingState, proposal: Proposal) -> TicketDraft | None:
    outcome = state.drafts.of_proposal(proposal.id)
    if outcome is None:
        return None
    return TicketDraft(
        outcome.number,
        outcome.draft.agent,
        _facts_shown(state, outcome, proposal),
        shortened(outcome.draft.reason, BRIEF),
    )


def _facts_shown(
    state: TradingState, outcome: DraftOutcome, proposal: Proposal | None = None
) -> tuple[CheckedFact, ...]:
    found = facts_now(state, outcome, proposal)
    return tuple(replace(checked, fact=_harmless(checked.fact)) for checked in found)


def _harmless(fact: DraftFact) -> DraftFact:
    symbol, field, source = (
        shortened(fact.symbol, NAME),
        shortened(fact.field, NAME),
        shortened(fact.source, SOURCE),
    )
    return DraftFact(symbol, field, fact.value, fact.at, source)


@dataclass(frozen=True, slots=True)
class _Record:
    """An agent's earlier drafts: how many, their facts that could be checked, and those that differed."""

    earlier: int
    checkable: int
    false: int


class DraftRows:
    """The rows of the drafts that wait, oldest first."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._rows: dict[int, DraftRow] = {}
        self._records: dict[int, _Record] = {}
        self._digests: dict[int, Digest] = {}

    def rows(self) -> tuple[DraftRow, ...]:
        waiting = self.state.drafts.waiting
        if not waiting:
            self._rows, self._records, self._digests = {}, {}, {}
            return ()
        before, self._rows = self._rows, {}
        for outcome in waiting:
            row, known = self._row(outcome), before.get(outcome.number)
            self._rows[outcome.number] = known if known == row else row
        return tuple(self._rows.values())

    def _row(self, outcome: DraftOutcome) -> DraftRow:
        draft, terms = outcome.draft, outcome.draft.terms
        record = self._record_before(draft)
        cost, risk = self._money(draft)
        return DraftRow(
            number=draft.number,
            digest=self._digest(draft),
            agent=draft.agent,
            symbol=terms.symbol,
            effect=terms.effect,
            quantity=draft.quantity,
            is_sized=draft.is_sized,
            type=terms.type,
            limit_price=terms.limit_price,
            stop_price=terms.stop_price,
            target_price=terms.target_price,
            time_in_force=terms.time_in_force,
            reason=shortened(draft.reason, REASON),
            facts=_facts_shown(self.state, outcome),
            confidence=draft.confidence,
            drafted_at=draft.drafted_at,
            expires_at=draft.expires_at,
            cost=cost,
            risk=risk,
            halted=halted_in_words(self.state, terms.symbol),
            earlier=record.earlier,
            checkable=record.checkable,
            false=record.false,
        )

    def _money(self, draft: Draft) -> tuple[Money | None, Money | None]:
        """Return its cost, and its loss at the stop, at its limit or else at the last price."""
        terms, last = draft.terms, self.state.last_price(draft.terms.symbol)
        price = terms.limit_price or (None if last is None else last[1])
        if price is None:
            return None, None
        traded = self.state.traded(terms.symbol)
        cost = traded.notional(draft.quantity, price)
        if terms.stop_price is None or terms.effect.only_reduces:
            return cost, None
        return cost, traded.notional(draft.quantity, Price(abs(price - terms.stop_price)))

    def _digest(self, draft: Draft) -> Digest:
        if draft.number not in self._digests:
            self._digests[draft.number] = draft.digest
        return self._digests[draft.number]

    def _record_before(self, draft: Draft) -> _Record:
        """Return the agent's record when this draft came; it is counted once for each draft."""
        if draft.number not in self._records:
            outcomes = self.state.drafts.state.outcomes.values()
            its = [one.draft for one in outcomes if one.draft.agent == draft.agent and one.number < draft.number]
            results = [checked.result for each in its for checked in each.facts]
            checkable = sum(result is not FactResult.UNKNOWN for result in results)
            self._records[draft.number] = _Record(len(its), checkable, results.count(FactResult.DIFFERS))
        return self._records[draft.number]
