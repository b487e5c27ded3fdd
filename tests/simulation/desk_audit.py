"""Holds the desks to what must always be true (OP-13, RK-27), from the facts alone: who may confirm, what a hand-over
leaves open, how long a dead desk keeps the key, and what goes on while nobody is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core import facts
from core.model.order import OrderStatus

KEPT = timedelta(seconds=60)
LIFE = timedelta(minutes=2)
"""How long an entry may rest without anybody there, as these sessions set it."""
A_MOMENT = timedelta(seconds=1)
RESTS = (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED)


@dataclass
class DeskAudit:
    auditor: Any
    attached: set[int] = field(default_factory=set)
    holder: int | None = None
    hold: int = 0
    spell: int = 0
    """Begins anew when the key is taken or free, and when the link of its desk dies: nothing open outlives it."""
    kept_until: datetime | None = None
    is_served: bool = False
    absent_since: datetime | None = None
    opened_under: dict[str, int] = field(default_factory=dict)
    turned_under: dict[str, int] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    changed_at: dict[str, datetime] = field(default_factory=dict)
    is_clock_in_doubt: bool = False
    settled_at: datetime | None = None
    """Time alone cancels nothing before this (EX-23)."""

    def hear(self, at: datetime, fact: facts.Fact) -> None:
        if isinstance(fact, facts.EngineStarted):
            self.attached, self.holder, self.kept_until = set(), None, None
            self.is_served, self.absent_since = False, None
            return
        match fact:
            case facts.ClockJumped() | facts.ClockDiffered():
                self.is_clock_in_doubt = True
            case facts.ClockSettled():
                self.is_clock_in_doubt, self.settled_at = False, at
            case facts.DesksServed():
                self.is_served = True
                self.absent_since = None if self.attached else at
            case facts.DeskAttached():
                self.attached.add(fact.desk)
                self.absent_since = None
                if fact.desk == self.holder:
                    self.kept_until = None
            case facts.DeskLeft():
                self._gone(fact.desk, at)
            case facts.DeskLost():
                self._gone(fact.desk, at)
                if fact.desk == self.holder:
                    self.kept_until = at + KEPT
                    self.spell += 1
            case facts.KeyTaken():
                self._taken(fact)
            case facts.KeyFreed():
                self._require(fact.desk == self.holder, f"desk {fact.desk} freed a key that it did not hold")
                self.holder = self.kept_until = None
                self.spell += 1
            case facts.TicketOpened():
                self.opened_under[fact.ticket.id] = self.spell
            case facts.BasketOpened() if self.holder is not None:  # else one of a file waits for whoever comes
                self.opened_under[fact.plan.id] = self.spell
            case facts.ConfirmationReceived() | facts.BasketSigned():
                self._confirmed(fact)
            case facts.OrderApproved():
                before = self.turned_under.get(fact.ticket_id, self.hold)
                self._require(before == self.hold, f"ticket {fact.ticket_id}: its turned key crossed a hand-over")
            case facts.ProposalStaged():
                waits_for_a_key = self.absent_since is not None and not fact.proposal.only_reduces
                is_a_strategys = fact.proposal.strategy not in ("manual", "basket")
                self._require(
                    not (waits_for_a_key and is_a_strategys), f"{fact.proposal.id} was staged with nobody attached"
                )
            case facts.OrderStateChanged():
                self.changed_at[fact.client_order_id] = at
            case facts.CancelRequested():
                self.cancelled.add(fact.client_order_id)
            case facts.CancelDropped():
                self.cancelled.discard(fact.client_order_id)
                self.changed_at[fact.client_order_id] = at

    def look(self, at: datetime) -> None:
        """Between two inputs of the engine."""
        story = self.auditor.story
        if self.kept_until is not None and at > self.kept_until + A_MOMENT:
            self._require(False, f"desk {self.holder} keeps the key at {at}, and its link died 60 s before")
            self.kept_until = None
        for ticket_id in story.tickets.keys() - story.closed - story.confirmed.keys():
            ticket = story.tickets[ticket_id]
            if at > ticket.ends_at or ticket.proposal_id not in story.waiting:
                continue  # over by itself
            is_older = self.opened_under.get(ticket_id, self.spell) != self.spell
            self._require(not is_older, f"ticket {ticket_id} is open across a hand-over")
        since = self.absent_since
        if since is not None and at > since + LIFE and not self.is_clock_in_doubt:
            self._look_at_entries(at, since)

    def _look_at_entries(self, at: datetime, since: datetime) -> None:
        for name, seen in self.auditor.story.orders.items():
            rests = seen.status in RESTS and not seen.order.effect.only_reduces and name not in self.cancelled
            ends_at = max(since, seen.at, self.changed_at.get(name, seen.at)) + LIFE
            ends_at = max(ends_at, self.settled_at or ends_at)
            self._require(not rests or at <= ends_at + A_MOMENT, f"entry {name} rests at {at}, and nobody is there")

    def _gone(self, desk: int, at: datetime) -> None:
        self.attached.discard(desk)
        if not self.attached and self.is_served and self.absent_since is None:
            self.absent_since = at

    def _taken(self, fact: facts.KeyTaken) -> None:
        self._require(fact.hold == self.hold + 1, f"hold {fact.hold} came after {self.hold}")
        self._require(fact.before == self.holder, f"the key was taken from {fact.before}, and {self.holder} had it")
        self._require(fact.desk in self.attached, f"desk {fact.desk} has the key and is not attached")
        self.holder, self.hold, self.kept_until = fact.desk, fact.hold, None
        self.spell += 1

    def _confirmed(self, fact: facts.ConfirmationReceived | facts.BasketSigned) -> None:
        if fact.turn is None:
            return  # a basket's own orders, or a signed exit
        name = fact.ticket_id if isinstance(fact, facts.ConfirmationReceived) else fact.plan_id
        turn, pressed = fact.turn, self.auditor.world.desk_presses
        self.turned_under[name] = self.hold
        is_old = self.opened_under.get(name, self.spell) != self.spell
        self._require(not is_old, f"{name} stayed armed over a hand-over")
        self._require(turn.desk == self.holder, f"{name} was confirmed by {turn.desk}, not by {self.holder}")
        self._require(turn.desk in self.attached, f"{name} was confirmed by a desk that is gone")
        self._require(turn.hold == self.hold, f"{name} was confirmed under hold {turn.hold} of {self.hold}")
        self._require((name, turn.desk, turn.hold) in pressed, f"{name}: no such key was pressed at {turn.desk}")

    def _require(self, claim: bool, otherwise: str) -> None:
        self.auditor.require(claim, otherwise)
