"""Baskets: opened, marked, signed, each order's turn, every change of where one stands, its end with its report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts import older_records
from core.facts.registry import Fact, fact
from core.model.basket import Basket, BasketEnd, BasketPhase, BasketReport, SignedOrder
from core.model.codes import BasketStop
from core.model.desk import KeyTurn
from core.model.staging import StandingAuthorization
from core.model.values import ClientOrderId, Digest, Money, ProposalId, TicketId


@fact(version=4, aliases=("PlanOpened",))
@dataclass(frozen=True, slots=True)
class BasketOpened(Fact):
    """A dry run of every order, each with the effect of those before it (OP-05). `marked` is what came marked."""

    plan: Basket
    marked: tuple[ProposalId, ...]


@fact(aliases=("PlanMarked",))
@dataclass(frozen=True, slots=True)
class BasketMarked(Fact):
    plan_id: TicketId
    proposal_id: ProposalId
    is_marked: bool


@fact(version=4, aliases=("PlanSigned",))
@dataclass(frozen=True, slots=True)
class BasketSigned(Fact):
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
    turn
        Of which desk, under which hold of the key, and how it was seen; None where no desk turned it.
    """

    plan_id: TicketId
    digest: Digest
    orders: tuple[SignedOrder, ...]
    left_out: tuple[tuple[ProposalId, tuple[str, ...]], ...]
    mandates: tuple[StandingAuthorization, ...]
    ends_at: datetime
    buying_power: Money | None
    taken_back: tuple[ClientOrderId, ...] = ()
    worth: Money | None = None
    terminal: str = ""
    user: str = ""
    turn: KeyTurn | None = None


@fact(version=2, aliases=("PlanRefused",))
@dataclass(frozen=True, slots=True)
class BasketRefused(Fact):
    """A basket that was not opened, a key that did not sign: why.

    `name` and `request` are those of a basket that was not opened, where it has them (`Basket.request`).
    """

    plan_id: TicketId
    reasons: tuple[str, ...]
    name: str = ""
    request: str = ""


@fact(aliases=("PlanTurnBegun",))
@dataclass(frozen=True, slots=True)
class BasketTurnBegun(Fact):
    """An order's turn: its ticket and its confirmation follow in the same act."""

    plan_id: TicketId
    proposal_id: ProposalId
    ticket_id: TicketId


@fact(aliases=("PlanOrderSkipped",))
@dataclass(frozen=True, slots=True)
class BasketOrderSkipped(Fact):
    """A signed order that does not go, and why; the others go on."""

    plan_id: TicketId
    proposal_id: ProposalId
    reasons: tuple[str, ...]


@fact(version=2, upgrades={1: older_records.plan_moved}, aliases=("PlanMoved",))
@dataclass(frozen=True, slots=True)
class BasketPhaseChanged(Fact):
    """The basket stands elsewhere now, and why. `stop` is why nothing more of it goes; None where it goes on."""

    plan_id: TicketId
    phase: BasketPhase
    reason: str
    stop: BasketStop | None = None


@fact(version=2, aliases=("PlanEnded",))
@dataclass(frozen=True, slots=True)
class BasketEnded(Fact):
    """Nothing of it goes out any more. `report` is None where nothing was signed."""

    plan_id: TicketId
    end: BasketEnd
    reason: str
    report: BasketReport | None
