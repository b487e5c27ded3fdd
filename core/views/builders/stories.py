"""Group facts into stories: a proposal, its tickets, its order, its fills and its legs."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from core import facts
from core.event_text.sources import strategy_of
from core.model.codes import FAILED_CLOSES
from core.model.values import ClientOrderId
from core.views.order_chain import subject_of

REMEMBERED = 5_000
"""Proposals, tickets and orders that are remembered: many more than the log has rows."""
STEPS = (
    facts.ProposalStaged,
    facts.ProposalEdited,
    facts.ProposalEnded,
    facts.TicketOpened,
    facts.TicketClosed,
    facts.ConfirmationReceived,
    facts.OrderApproved,
    facts.AuthorizationProlonged,
    facts.AuthorizationEnded,
    facts.ApprovalRedeemed,
    facts.OrderCreated,
    facts.OrderSent,
    facts.OrderStateChanged,
    facts.OrderFilled,
    facts.PositionChanged,
    facts.LegResized,
    facts.CancelRequested,
    facts.OrderKept,
    facts.KeptOrderReleased,
)
"""Facts shown in the line of their story; doubts, warnings, refusals, blocks and failures have their own lines."""


@dataclass(frozen=True, slots=True)
class Story:
    """`id` is that of its first proposal or order, `order` that of its first order; None before there is one."""

    id: str
    strategy: str = ""
    order: ClientOrderId | None = None


class Stories:
    """Receives every fact in order; it knows only facts that it received."""

    def __init__(self) -> None:
        self._by_subject: OrderedDict[str, Story] = OrderedDict()
        self._filled: Story | None = None

    def of(self, fact: facts.Fact) -> Story | None:
        """Return the story of a fact; a position directly after a fill belongs to the fill's story."""
        if isinstance(fact, facts.PositionChanged):
            filled, self._filled = self._filled, None
            return filled
        if not isinstance(fact, facts.OrderStateChanged):
            self._filled = None
        subject = subject_of(fact)
        if subject is None:
            return None
        story = self._begun(fact, subject)
        if isinstance(fact, facts.OrderFilled):
            self._filled = story
        return story

    def is_step(self, fact: facts.Fact) -> bool:
        """Whether a fact is shown in the line of its story; a failed close has its own line."""
        if isinstance(fact, facts.AuthorizationEnded):
            return fact.code not in FAILED_CLOSES
        return isinstance(fact, STEPS)

    def _begun(self, fact: facts.Fact, subject: str) -> Story:
        known = self._by_subject.get(subject)
        match fact:
            case facts.OrderCreated() if known is None or known.order is None:
                return self._keep(subject, self._of_order(fact))
            case facts.TicketOpened() | facts.BasketTurnBegun():
                proposal = fact.ticket.proposal_id if isinstance(fact, facts.TicketOpened) else fact.proposal_id
                ticket = fact.ticket.id if isinstance(fact, facts.TicketOpened) else fact.ticket_id
                return self._keep(ticket, self._by_subject.get(proposal) or Story(proposal))
            case facts.ApprovalRedeemed() if known is None:
                signed = self._by_subject.get(fact.approval.ticket_id)
                if signed is not None:
                    return signed
        if known is None:
            order = ClientOrderId(subject) if isinstance(fact, facts.OrderFilled | facts.OrderStateChanged) else None
            known = self._keep(subject, Story(subject, strategy_of(fact), order))
        return known

    def _of_order(self, fact: facts.OrderCreated) -> Story:
        """Return the story of a new order: the entry's for a leg or a stop, else the proposal's."""
        id = fact.order.client_order_id
        entry = None if fact.parent is None else self._by_subject.get(fact.parent)
        if entry is not None:
            return entry
        proposal = self._by_subject.get(fact.proposal_id)
        if proposal is not None and proposal.order is None and fact.parent is None:
            return self._keep(fact.proposal_id, Story(proposal.id, fact.strategy, id))
        return Story(id, fact.strategy, id)

    def _keep(self, subject: str, story: Story) -> Story:
        self._by_subject[subject] = story
        self._by_subject.move_to_end(subject)
        if len(self._by_subject) > REMEMBERED:
            self._by_subject.popitem(last=False)
        return story
