"""The state of a basket and its run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.model.basket import Basket, BasketEnd, BasketPhase, BasketReport, SignedOrder
from core.model.codes import BasketStop
from core.model.values import ClientOrderId, Money, ProposalId, TicketId


@dataclass(slots=True)
class BasketRun:
    """A basket and its run.

    Attributes
    ----------
    powers
        Buying power reported by the broker at each order's turn, USD.
    refusals
        Why a confirmed order is not sent.
    answered
        Orders whose request was answered by the broker, or given up.
    refused_because
        Why its last confirmation was refused; a mark clears it.
    spared
        Working entries that a flattening does not cancel: their mark was removed.
    taken_back
        Those that it cancels, once it is confirmed.
    stop
        Why no further order is sent, as recorded; None while it continues.
    halted, halted_by
        Why it must stop, before that is recorded, as text and code; empty if nothing stops it.
    events
        Events with their times, the newest last.
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
