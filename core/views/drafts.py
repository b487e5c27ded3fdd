"""Drafts of agents, and the facts of a draft on the ticket of its proposal (OP-09, OP-14).

Every text of an agent in them is harmless and short. The facts are compared at the time of the view.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from core.model.draft import CheckedFact
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, Terms, TimeInForce
from core.model.values import Digest, Fraction, Money, Price, Quantity, Symbol


def differing(facts: Sequence[CheckedFact]) -> tuple[int, ...]:
    """Return the places of the facts to review: those that differ, and of holdings those that changed since."""
    return tuple(place for place, checked in enumerate(facts) if checked.needs_review)


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft that waits for the operator; nothing of it is staged.

    Attributes
    ----------
    digest
        Of the draft; adopting and declining name it, so that they concern no other.
    is_sized
        Whether the desk computed the quantity.
    facts
        As they compare with the desk's figures now.
    confidence
        The agent's probability that the trade gains; None if it states none.
    cost, risk
        Its cost, and the loss of an entry at its stop, USD; None without a price or a stop.
    halted
        Start and reason of an exchange halt of the symbol; empty while it trades.
    earlier
        The agent's drafts before it that the desk remembers.
    checkable, false
        The facts of those that the desk could check, and how many of them differed when they were drafted.
    """

    FIRST: ClassVar = ("number", "agent", "symbol", "effect", "quantity", "limit_price", "stop_price", "expires_at")

    number: int
    digest: Digest
    agent: str
    symbol: Symbol
    effect: Effect
    quantity: Quantity
    is_sized: bool
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    target_price: Price | None
    time_in_force: TimeInForce
    reason: str
    facts: tuple[CheckedFact, ...]
    confidence: Fraction | None
    drafted_at: datetime
    expires_at: datetime
    cost: Money | None = None
    risk: Money | None = None
    halted: str = ""
    earlier: int = 0
    checkable: int = 0
    false: int = 0

    @property
    def terms(self) -> Terms:
        return self.type, self.limit_price, None, None, None

    @property
    def differing(self) -> tuple[int, ...]:
        return differing(self.facts)


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """The draft that a ticket's proposal was; its facts as they compare now, and its agent's reason."""

    number: int
    agent: str
    facts: tuple[CheckedFact, ...]
    reason: str = ""

    @property
    def differing(self) -> tuple[int, ...]:
        return differing(self.facts)
