"""A basket and what became of it: what the slice of baskets holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.model.basket import Basket, BasketEnd, BasketPhase, BasketReport, SignedOrder
from core.model.codes import BasketStop
from core.model.values import ClientOrderId, Money, ProposalId, TicketId


@dataclass(slots=True)
class BasketRun:
    """A basket and what became of it.

    Attributes
    ----------
    powers
        Buying power that the broker told at each order's turn, USD.
    refusals
        Why a signed order did not go.
    answered
        Orders to whose request the broker's answer came, or was given up.
    refused_because
        Why the last key on it did not sign; a mark clears it.
    spared
        Working entries that a flattening is not to take back: their mark was removed.
    taken_back
        Those that it takes back, once it is signed.
    stop
        Why nothing more of it goes, as it was said; None where it goes on.
    halted, halted_by
        Why it must stop, though it has not been said yet, in words and as a code; empty where nothing stops it.
    events
        What happened, with its time, the newest last.
    """

    plan: Basket
    phase: BasketPhase = BasketPhase.OPEN
    phase_since: datetime | None = None
    phase_reason: str = ""
    stop: BasketStop | None = None
    marked: set[ProposalId] = field(default_factory=set)
    spared: set[ClientOrderId] = field(default_factory=set)
    taken_back: tuple[ClientOrderId, ...] = ()
    orders: tuple[SignedOrder, ...] = ()
    left_out: dict[ProposalId, tuple[str, ...]] = field(default_factory=dict)
    signed_at: datetime | None = None
    permitted_until: datetime | None = None
    power_before: Money | None = None
    tickets: dict[ProposalId, TicketId] = field(default_factory=dict)
    powers: dict[ProposalId, Money] = field(default_factory=dict)
    refusals: dict[ProposalId, tuple[str, ...]] = field(default_factory=dict)
    halted: str = ""
    halted_by: BasketStop | None = None
    answered: set[ClientOrderId] = field(default_factory=set)
    refused_because: tuple[str, ...] = ()
    events: list[tuple[datetime, str]] = field(default_factory=list)
    end: BasketEnd | None = None
    end_reason: str = ""
    report: BasketReport | None = None

    @property
    def id(self) -> TicketId:
        return self.plan.id

    @property
    def is_open(self) -> bool:
        return self.phase is BasketPhase.OPEN

    @property
    def runs(self) -> bool:
        return self.phase not in (BasketPhase.OPEN, BasketPhase.OVER)

    def sells(self) -> tuple[SignedOrder, ...]:
        return tuple(order for order in self.orders if order.proposal.only_reduces)

    def buys(self) -> tuple[SignedOrder, ...]:
        return tuple(order for order in self.orders if not order.proposal.only_reduces)

    def order(self, order_id: ClientOrderId) -> SignedOrder | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def proposal_of(self, ticket_id: TicketId) -> ProposalId | None:
        return next((proposal for proposal, ticket in self.tickets.items() if ticket == ticket_id), None)


@dataclass(slots=True)
class BasketsState:
    run: BasketRun | None = None
    opened: int = 0
