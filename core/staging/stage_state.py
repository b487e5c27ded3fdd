"""What the stage holds: proposals and tickets, turned keys, and what they permit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.model.staging import Approval, AuthorizationKind, Proposal, Review, StandingAuthorization, Ticket
from core.model.values import NO_SHARES, ClientOrderId, ProposalId, Quantity, TicketId

LESS = "less-"
"""With this begins the name of an approval of less of what was signed."""
STOPS = frozenset({AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.RESTORE_STOP})
"""What is signed for the shares themselves: it lasts a session longer than the order that it follows."""


@dataclass(slots=True)
class Confirmation:
    """A turned key. Its approval is void as soon as the confirmation was refused.

    That its order was blocked is told once, and leaves what else was signed with it: the stop that goes back (EX-21).
    `hold` is the hold of the key that it was turned under; None where no desk turned it. `twin_of` is the entry that it
    is like, where the word for that was typed (RK-25).
    """

    ticket: Ticket
    proposal: Proposal
    approval: Approval
    received_at: datetime
    is_decided: bool = False
    is_void: bool = False
    is_told: bool = False
    hold: int | None = None
    twin_of: ClientOrderId | None = None


@dataclass(slots=True)
class AuthorizationUse:
    """A mandate and how much of it was released; how often only counts its approvals, so that none has a used name.

    `returned` are the orders whose permission was given back: a crash may have that recorded twice. `exits` are the
    orders that it let out without a key.
    """

    mandate: StandingAuthorization
    released: Quantity = NO_SHARES
    releases: int = 0
    returned: tuple[ClientOrderId, ...] = ()
    exits: tuple[ClientOrderId, ...] = ()

    @property
    def is_unused(self) -> bool:
        return self.released == 0


@dataclass(slots=True)
class StageState:
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    reviews: dict[ProposalId, Review] = field(default_factory=dict)
    tickets: dict[TicketId, Ticket] = field(default_factory=dict)
    confirmations: dict[TicketId, Confirmation] = field(default_factory=dict)
    mandates: dict[str, AuthorizationUse] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    redeemed: dict[ClientOrderId, tuple[str, Quantity]] = field(default_factory=dict)
    """Of orders that are not written down yet: the mandate of each, and how much of it."""
    less: dict[str, datetime] = field(default_factory=dict)
    """The approvals of less of what was signed that were used, and when each has lapsed."""
    refusals: dict[TicketId, tuple[str, ...]] = field(default_factory=dict)
    tickets_opened: int = 0
    manual_orders: int = 0
    changes: int = 0
    skipped: int = 0
    confirmed: int = 0
    refused: int = 0
