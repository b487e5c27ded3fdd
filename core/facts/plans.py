"""Plans: opened, marked, signed, each order's turn, every change of where the plan stands, its end with its report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts import older_words
from core.facts.registry import Fact, fact
from core.model.codes import PlanStop
from core.model.plan import Plan, PlanEnd, PlanPhase, PlanReport, SignedOrder
from core.model.staging import Mandate
from core.model.values import ClientOrderId, Digest, Money, ProposalId, TicketId


@fact(version=4)
@dataclass(frozen=True, slots=True)
class PlanOpened(Fact):
    """A dry run of every order, each with the effect of those before it (OP-05). `marked` is what came marked."""

    plan: Plan
    marked: tuple[ProposalId, ...]


@fact()
@dataclass(frozen=True, slots=True)
class PlanMarked(Fact):
    plan_id: TicketId
    proposal_id: ProposalId
    is_marked: bool


@fact(version=3)
@dataclass(frozen=True, slots=True)
class PlanSigned(Fact):
    """The key was turned on this digest: each order has a mandate, and is checked afresh at its turn (OP-02).

    Attributes
    ----------
    left_out
        What is not among the orders, with every reason.
    ends_at
        When what was signed is permitted no more (UTC).
    buying_power
        Before the first order, USD.
    taken_back
        Working entries that are cancelled before the first order goes; a flattening has them.
    worth
        What was typed as the cost of its entries, USD; None where none was asked for.
    terminal, user
        Where its key was pressed (OP-13); empty in what is older than they are.
    """

    plan_id: TicketId
    digest: Digest
    orders: tuple[SignedOrder, ...]
    left_out: tuple[tuple[ProposalId, tuple[str, ...]], ...]
    mandates: tuple[Mandate, ...]
    ends_at: datetime
    buying_power: Money | None
    taken_back: tuple[ClientOrderId, ...] = ()
    worth: Money | None = None
    terminal: str = ""
    user: str = ""


@fact(version=2)
@dataclass(frozen=True, slots=True)
class PlanRefused(Fact):
    """A plan that was not opened, a key that did not sign: why.

    `name` and `request` are those of a plan that was not opened, where it has them (`Plan.request`).
    """

    plan_id: TicketId
    reasons: tuple[str, ...]
    name: str = ""
    request: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class PlanTurnBegun(Fact):
    """An order's turn: its ticket and its confirmation follow in the same act."""

    plan_id: TicketId
    proposal_id: ProposalId
    ticket_id: TicketId


@fact()
@dataclass(frozen=True, slots=True)
class PlanOrderSkipped(Fact):
    """A signed order that does not go, and why; the others go on."""

    plan_id: TicketId
    proposal_id: ProposalId
    reasons: tuple[str, ...]


@fact(version=2, upgrades={1: older_words.plan_moved})
@dataclass(frozen=True, slots=True)
class PlanMoved(Fact):
    """The plan stands elsewhere now, and why. `stop` is why nothing more of it goes; None where it goes on."""

    plan_id: TicketId
    phase: PlanPhase
    reason: str
    stop: PlanStop | None = None


@fact(version=2)
@dataclass(frozen=True, slots=True)
class PlanEnded(Fact):
    """Nothing of it goes out any more. `report` is None where nothing was signed."""

    plan_id: TicketId
    end: PlanEnd
    reason: str
    report: PlanReport | None
