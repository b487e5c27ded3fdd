"""Facts of agents: their drafts, and what the operator made of them (OP-09, OP-14)."""

from __future__ import annotations

from datetime import date

from core.facts.registry import Fact, fact
from core.model.draft import CheckedFact, Draft, DraftEnd, DraftRefusal
from core.model.lazy_dataclass import dataclass
from core.model.values import ProposalId, TicketId


@fact(version=2)
@dataclass(frozen=True, slots=True)
class DraftReceived(Fact):
    """An agent drafted an order; it waits for the operator, and nothing is staged."""

    draft: Draft


@fact()
@dataclass(frozen=True, slots=True)
class DraftRejected(Fact):
    """A draft was rejected when it was drafted, and why.

    Attributes
    ----------
    text
        The order as the agent wrote it, harmless and short; empty if it cannot be read.
    """

    agent: str
    key: str
    code: DraftRefusal
    reasons: tuple[str, ...]
    text: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class DraftEnded(Fact):
    """A draft left the list.

    Attributes
    ----------
    proposal_id
        The proposal that it became; None if it became none.
    terminal, user
        Where the operator decided; empty if no person did.
    """

    number: int
    end: DraftEnd
    reason: str
    proposal_id: ProposalId | None = None
    terminal: str = ""
    user: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class DraftNotStaged(Fact):
    """The desk's checks refused a draft that the operator adopted, or it was not the one that was shown: it stays."""

    number: int
    reasons: tuple[str, ...]


@fact(version=2)
@dataclass(frozen=True, slots=True)
class DraftReviewed(Fact):
    """With this ticket's key the operator had reviewed the facts of its draft that differ (OP-14)."""

    number: int
    ticket_id: TicketId
    differing: tuple[CheckedFact, ...]


@fact(version=2)
@dataclass(frozen=True, slots=True)
class DraftDiffered(Fact):
    """Facts that could not be checked when they were drafted differ at the ticket; they stay false then (OP-14)."""

    number: int
    differing: tuple[CheckedFact, ...]


@fact()
@dataclass(frozen=True, slots=True)
class DaySummarised(Fact):
    """An agent summarised a day for its report, in its own words; the last text of an agent counts (AN-06)."""

    agent: str
    day: date
    text: str


@fact()
@dataclass(frozen=True, slots=True)
class AgentOverstepped(Fact):
    """CRITICAL: an agent asked for something other than reading and drafting. It was refused, and nothing was done."""

    agent: str
    attempt: str
