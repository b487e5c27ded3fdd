"""The stage's state: proposals, tickets, confirmations, and their permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.model.staging import Approval, AuthorizationKind, Proposal, Review, StandingAuthorization, Ticket
from core.model.values import NO_SHARES, ClientOrderId, ProposalId, Quantity, TicketId

LESS = "less-"
"""Prefix of an approval's id for a smaller quantity than confirmed."""
STOPS = frozenset({AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.RESTORE_STOP})
"""Authorizations for the shares themselves: they last a session longer than their order."""


@dataclass(slots=True)
class Confirmation:
    """A confirmation. Its approval is void as soon as the confirmation was refused.

    `is_told`: the block of its order was reported, once; other authorizations of it stay, such as a stop to restore
    (EX-21). `hold` is the control period of its confirmation; None without a desk. `twin_of` is the entry that it is
    like, if the word for that was typed (RK-25).
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
    """An authorization and its released quantity; `releases` only numbers its approvals, so that no id is reused.

    `returned` are the orders whose permission was returned: after a crash that may be recorded twice. `exits` are the
    orders that it released without a key.
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
    """The authorization and the quantity of orders that are not recorded yet."""
    less: dict[str, datetime] = field(default_factory=dict)
    """Used approvals of a smaller quantity, with their expiry."""
    refusals: dict[TicketId, tuple[str, ...]] = field(default_factory=dict)
    tickets_opened: int = 0
    manual_orders: int = 0
    changes: int = 0
    skipped: int = 0
    confirmed: int = 0
    refused: int = 0
