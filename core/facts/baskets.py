"""Baskets: opened, marked, confirmed, each order's turn, every change of phase, and the end with its report."""

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
    """A dry run of every order, each with the effect of those before it (OP-05).

    `marked` are the initially marked orders.
    """

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
    """The operator confirmed this digest: each order has an authorization, and is checked again at its turn (OP-02).

    Attributes
    ----------
    left_out
        Proposals that are not among the orders, with every reason.
    ends_at
        When the confirmation expires (UTC).
    buying_power
        Before the first order, USD.
    taken_back
        Working entries that are cancelled before the first order is sent; only for a flattening.
    worth
        The typed cost of its entries, USD; None if none was required.
    terminal, user
        Where its key was pressed (OP-13); empty in older records.
    turn
        The confirming desk, its control period, and how the basket was seen; None if no desk confirmed it.
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
    """A basket was not opened, or its confirmation was refused, with the reasons.

    `name` and `request` are those of a basket that was not opened, if it has them (`Basket.request`).
    """

    plan_id: TicketId
    reasons: tuple[str, ...]
    name: str = ""
    request: str = ""


@fact(aliases=("PlanTurnBegun",))
@dataclass(frozen=True, slots=True)
class BasketTurnBegun(Fact):
    """An order's turn began: its ticket and its confirmation follow in the same transaction."""

    plan_id: TicketId
    proposal_id: ProposalId
    ticket_id: TicketId


@fact(aliases=("PlanOrderSkipped",))
@dataclass(frozen=True, slots=True)
class BasketOrderSkipped(Fact):
    """A confirmed order is not sent, and why; the others continue."""

    plan_id: TicketId
    proposal_id: ProposalId
    reasons: tuple[str, ...]


@fact(version=2, upgrades={1: older_records.plan_moved}, aliases=("PlanMoved",))
@dataclass(frozen=True, slots=True)
class BasketPhaseChanged(Fact):
    """The basket's phase changed, and why. `stop` is why no further order is sent; None while it continues."""

    plan_id: TicketId
    phase: BasketPhase
    reason: str
    stop: BasketStop | None = None


@fact(version=2, aliases=("PlanEnded",))
@dataclass(frozen=True, slots=True)
class BasketEnded(Fact):
    """The basket ended; no further order is sent. `report` is None if it was never confirmed."""

    plan_id: TicketId
    end: BasketEnd
    reason: str
    report: BasketReport | None
