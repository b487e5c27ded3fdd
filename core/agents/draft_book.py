"""The slice of drafts: those that wait for the operator, and what became of the last ones (OP-09, OP-14)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any

from core import facts
from core.model.codes import ProposalEnd
from core.model.draft import OVER, Draft, DraftEnd, DraftOutcome, DraftRefusal, DraftWord
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus
from core.model.values import ClientOrderId, ProposalId

KEPT = 200
"""Drafts that are remembered after nothing more comes of them."""
HOUR = timedelta(hours=1)
ENDS = {
    DraftEnd.STAGED: DraftWord.STAGED,
    DraftEnd.GIVEN: DraftWord.GIVEN,
    DraftEnd.DECLINED: DraftWord.DECLINED,
    DraftEnd.EXPIRED: DraftWord.EXPIRED,
    DraftEnd.WITHDRAWN: DraftWord.WITHDRAWN,
    DraftEnd.BLOCKED: DraftWord.BLOCKED,
}
PROPOSAL_ENDS = {
    ProposalEnd.DECLINED: DraftWord.DECLINED,
    ProposalEnd.EXPIRED: DraftWord.EXPIRED,
    ProposalEnd.WITHDRAWN: DraftWord.DECLINED,
    ProposalEnd.BLOCKED: DraftWord.BLOCKED,
    ProposalEnd.SENT: DraftWord.SENT,
}


@dataclass(slots=True)
class DraftsState:
    """`outcomes` are by number, the oldest first; `sent` has the times of each agent's drafts of the last hour, also of
    rejected ones, `overstepped` those of its attempts at more; `flooded` is when an agent's flood was recorded last.
    """

    numbers: int = 0
    outcomes: dict[int, DraftOutcome] = field(default_factory=dict)
    sent: dict[str, list[datetime]] = field(default_factory=dict)
    overstepped: dict[str, list[datetime]] = field(default_factory=dict)
    flooded: dict[str, datetime] = field(default_factory=dict)
    oversteps: int = 0


class DraftBook:
    name = "drafts"

    def __init__(self) -> None:
        self.state = DraftsState()
        self._by_order: dict[ClientOrderId, int] = {}
        self._waiting: dict[int, None] = {}
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.DraftReceived: self._received,
            facts.DraftRejected: self._rejected,
            facts.DraftEnded: self._ended,
            facts.DraftDiffered: self._differed,
            facts.AgentOverstepped: self._overstepped,
            facts.ProposalEnded: self._proposal_ended,
            facts.OrderFilled: self._filled,
            facts.OrderStateChanged: self._order_changed,
            facts.TradeClosed: self._closed,
            facts.FillReversed: self._reversed,
        }

    def restore(self, state: DraftsState) -> None:
        self.state = state
        self._by_order = {one.order_id: one.number for one in state.outcomes.values() if one.order_id is not None}
        self._waiting = dict.fromkeys(number for number, one in state.outcomes.items() if one.is_waiting)

    @property
    def waiting(self) -> tuple[DraftOutcome, ...]:
        """The drafts that wait for the operator, oldest first. Every act asks for them."""
        return tuple(self.state.outcomes[number] for number in self._waiting)

    def outcome(self, number: int) -> DraftOutcome | None:
        return self.state.outcomes.get(number)

    def of_proposal(self, proposal_id: ProposalId | ClientOrderId) -> DraftOutcome | None:
        """Return the draft that became this proposal or order; None if a person or a strategy made it."""
        number = self._by_order.get(ClientOrderId(proposal_id))
        return None if number is None else self.state.outcomes[number]

    def of_key(self, agent: str, key: str) -> DraftOutcome | None:
        """Return the agent's last draft with this key."""
        its = (o for o in reversed(self.state.outcomes.values()) if (o.draft.agent, o.draft.key) == (agent, key))
        return next(its, None)

    def sent_within_an_hour(self, agent: str, at: datetime) -> int:
        """Return how many drafts of this agent the desk judged in the last hour."""
        return sum(at - sent < HOUR for sent in self.state.sent.get(agent, ()))

    def oversteps_within_an_hour(self, agent: str, at: datetime) -> int:
        return sum(at - tried < HOUR for tried in self.state.overstepped.get(agent, ()))

    def is_flood_told(self, agent: str, at: datetime) -> bool:
        """Whether its flood was recorded within the last hour."""
        told = self.state.flooded.get(agent)
        return told is not None and at - told < HOUR

    @property
    def staged(self) -> tuple[DraftOutcome, ...]:
        """The drafts that were adopted, and of whose proposal nothing was heard since."""
        return tuple(one for one in self.state.outcomes.values() if one.word is DraftWord.STAGED)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _received(self, at: datetime, fact: facts.DraftReceived) -> None:
        draft: Draft = fact.draft
        self.state.numbers = draft.number
        self.state.outcomes[draft.number] = DraftOutcome(draft)
        self._waiting[draft.number] = None
        self._count(draft.agent, at)
        self.state.flooded.pop(draft.agent, None)
        over = deque(number for number, one in self.state.outcomes.items() if _is_over(one))
        while len(self.state.outcomes) > KEPT and over:
            gone = self.state.outcomes.pop(over.popleft())
            if gone.order_id is not None:
                self._by_order.pop(gone.order_id, None)

    def _rejected(self, at: datetime, fact: facts.DraftRejected) -> None:
        if fact.code is DraftRefusal.FLOOD:
            self.state.flooded[fact.agent] = at
        elif fact.code is not DraftRefusal.UNKNOWN_AGENT:
            self._count(fact.agent, at)

    def _count(self, agent: str, at: datetime) -> None:
        self.state.sent[agent] = [*(sent for sent in self.state.sent.get(agent, ()) if at - sent < HOUR), at]

    def _ended(self, _at: datetime, fact: facts.DraftEnded) -> None:
        order_id = None if fact.proposal_id is None else ClientOrderId(fact.proposal_id)
        known = self.state.outcomes.get(fact.number)
        if known is not None and known.order_id is not None:
            self._by_order.pop(known.order_id, None)
        self._change(fact.number, word=ENDS[fact.end], reason=fact.reason, order_id=order_id)
        if order_id is not None:
            self._by_order[order_id] = fact.number

    def _differed(self, _at: datetime, fact: facts.DraftDiffered) -> None:
        if (known := self.state.outcomes.get(fact.number)) is not None:
            found = {checked.fact: checked for checked in fact.differing}
            checked = tuple(found.get(stated.fact, stated) for stated in known.draft.facts)
            self.state.outcomes[fact.number] = replace(known, draft=replace(known.draft, facts=checked))

    def _overstepped(self, at: datetime, fact: facts.AgentOverstepped) -> None:
        self.state.oversteps += 1
        tried = self.state.overstepped.get(fact.agent, ())
        self.state.overstepped[fact.agent] = [*(one for one in tried if at - one < HOUR), at]

    def _proposal_ended(self, _at: datetime, fact: facts.ProposalEnded) -> None:
        number = self._by_order.get(ClientOrderId(fact.proposal_id))
        if number is not None and self.state.outcomes[number].word is DraftWord.STAGED:
            self._change(number, word=PROPOSAL_ENDS[fact.end], reason=fact.reason)

    def _filled(self, _at: datetime, fact: facts.OrderFilled) -> None:
        number = self._by_order.get(fact.fill.client_order_id)
        if number is not None and self.state.outcomes[number].word is not DraftWord.CLOSED:
            self._change(number, word=DraftWord.FILLED)

    def _order_changed(self, _at: datetime, fact: facts.OrderStateChanged) -> None:
        number = self._by_order.get(fact.client_order_id)
        if number is None or not fact.after.is_terminal or fact.after is OrderStatus.FILLED:
            return
        if self.state.outcomes[number].word is DraftWord.SENT:
            self._change(number, word=DraftWord.REJECTED, reason=fact.reason or fact.after.value)

    def _closed(self, _at: datetime, fact: facts.TradeClosed) -> None:
        number = self._by_order.get(fact.trade.entry_order)
        if number is not None:
            self._change(number, word=DraftWord.CLOSED, profit=fact.trade.profit)

    def _reversed(self, _at: datetime, fact: facts.FillReversed) -> None:
        number = None if fact.undone is None else self._by_order.get(fact.undone.entry_order)
        if number is not None:
            after = fact.corrected
            word = DraftWord.FILLED if after is None else DraftWord.CLOSED
            self._change(number, word=word, profit=None if after is None else after.profit)

    def _change(self, number: int, **parts: Any) -> None:
        """Change a draft; none of the changes makes it wait again."""
        if (one := self.state.outcomes.get(number)) is not None:
            self.state.outcomes[number] = replace(one, **parts)
            self._waiting.pop(number, None)


def _is_over(one: DraftOutcome) -> bool:
    """Whether nothing more comes of it; an exit ends with its fill: it opens no trade."""
    return one.word in OVER or (one.word is DraftWord.FILLED and one.draft.terms.effect.only_reduces)
