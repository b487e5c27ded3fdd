"""From a wish to an intent: what the operator shuts, proposals, tickets, confirmations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.facts import older_records
from core.facts.registry import Fact, fact
from core.model.codes import AuthorizationCode, Denial, ProposalEnd, TicketEnd
from core.model.desk import DeskNumber, KeyTurn
from core.model.staging import Approval, Proposal, Review, StandingAuthorization, Ticket
from core.model.values import (
    ClientOrderId,
    Digest,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    TicketId,
)


@fact(version=3)
@dataclass(frozen=True, slots=True)
class StrategyPaused(Fact):
    """It opens nothing on this symbol from here on, over restarts too; its exits go on.

    `reason` is why the desk itself did it; empty where the operator did. One that `rests` is shown no bar while it
    holds nothing: it was too slow.
    """

    strategy: str
    symbol: Symbol
    reason: str = ""
    rests: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class StrategyResumed(Fact):
    strategy: str
    symbol: Symbol


@fact()
@dataclass(frozen=True, slots=True)
class SymbolRefused(Fact):
    """No entry in this symbol for the rest of this trading day."""

    symbol: Symbol
    day: date
    reason: str


@fact(version=6, upgrades={4: older_records.proposed})
@dataclass(frozen=True, slots=True)
class ProposalStaged(Fact):
    """`bid` and `ask` are the quote that the desk had then, USD (AN-03): what an entry, or an exit, came from.

    None where it had none, and in what is older than they are.
    """

    proposal: Proposal
    review: Review
    bid: Price | None = None
    ask: Price | None = None


@fact(version=6, upgrades={5: older_records.refused_by_checks})
@dataclass(frozen=True, slots=True)
class ProposalSkipped(Fact):
    """A signal or a typed order that did not become a proposal, with every reason.

    `proposal` is what a strategy would have staged and the gate refused; None where there is nothing to follow.
    `checks` are those that gave the reasons, in their order; where they end, the reasons are no check's.
    """

    strategy: str
    symbol: Symbol
    signal_time: datetime
    reasons: tuple[str, ...]
    proposal: Proposal | None = None
    checks: tuple[str, ...] = ()


@fact(version=5, upgrades={4: older_records.proposed})
@dataclass(frozen=True, slots=True)
class ProposalEdited(Fact):
    """Another quantity or limit under the same id. What was shown before it can no longer be confirmed."""

    proposal: Proposal
    review: Review


@fact()
@dataclass(frozen=True, slots=True)
class EditRefused(Fact):
    """The proposal stays as it was, and why."""

    proposal_id: ProposalId
    reasons: tuple[str, ...]


@fact()
@dataclass(frozen=True, slots=True)
class ProposalEnded(Fact):
    proposal_id: ProposalId
    end: ProposalEnd
    reason: str


@fact(version=5)
@dataclass(frozen=True, slots=True)
class TicketOpened(Fact):
    """`bid` and `ask` are the quote that was fetched for it, USD (AN-03); None where none came, and in older ones."""

    ticket: Ticket
    bid: Price | None = None
    ask: Price | None = None


@fact(version=2)
@dataclass(frozen=True, slots=True)
class TicketClosed(Fact):
    """The ticket can no longer be confirmed."""

    ticket_id: TicketId
    reason: str
    code: TicketEnd = TicketEnd.OTHER


@fact(version=5)
@dataclass(frozen=True, slots=True)
class ConfirmationReceived(Fact):
    """The key was turned on this digest. It mints the approval; nothing is sent before the checks ran again.

    `terminal` and `user` say where that key was pressed (OP-13); empty where a basket's key or a signed exit turned it,
    and in what is older than they are. `turn` says of which desk, under which hold of the key, and how its ticket was
    seen; None where no desk turned it.
    """

    ticket_id: TicketId
    digest: Digest
    approval: Approval
    mandates: tuple[StandingAuthorization, ...]
    terminal: str = ""
    user: str = ""
    turn: KeyTurn | None = None


@fact()
@dataclass(frozen=True, slots=True)
class TwinConfirmed(Fact):
    """With the key of this ticket the word was typed for an entry that is like another one (RK-25)."""

    ticket_id: TicketId
    like: ClientOrderId


@fact()
@dataclass(frozen=True, slots=True)
class ExitReleased(Fact):
    """An exit goes out without a key, under the exits that were signed with its entry (OP-06); its ticket follows.

    Every check runs on fresh figures first; where they refuse, it waits for a key as any other exit does.
    """

    proposal_id: ProposalId
    mandate_id: str
    quantity: Quantity


@fact(version=2)
@dataclass(frozen=True, slots=True)
class CommandRefused(Fact):
    """Nothing of a command was done: it came past every door that the engine knows, was for another account, or came
    from a desk that may not say it (OP-01, OP-13).
    """

    command: str
    reason: str
    code: Denial = Denial.OTHER
    desk: DeskNumber | None = None


@fact(version=2, upgrades={1: older_records.refused_by_checks})
@dataclass(frozen=True, slots=True)
class ConfirmationRefused(Fact):
    """`checks` are those that gave the reasons, in their order; where they end, the reasons are no check's."""

    ticket_id: TicketId
    reasons: tuple[str, ...]
    checks: tuple[str, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class OrderApproved(Fact):
    """Every check passed on figures fetched fresh (OP-03); those that were used stand here."""

    ticket_id: TicketId
    approval_id: str
    review: Review
    equity: Money | None
    buying_power: Money | None
    bid: Price | None
    ask: Price | None


@fact(version=2)
@dataclass(frozen=True, slots=True)
class ApprovalRedeemed(Fact):
    """Permission used up for exactly this order; the intent follows in the same act."""

    approval: Approval
    client_order_id: ClientOrderId
    order_digest: Digest
    quantity: Quantity


@fact(aliases=("MandateProlonged",))
@dataclass(frozen=True, slots=True)
class AuthorizationProlonged(Fact):
    """A confirmed close waits for a stop that is in doubt: its time does not run meanwhile (EX-21, EX-22)."""

    mandate_id: str
    ends_at: datetime


@fact(version=2, upgrades={1: older_records.mandate_ended}, aliases=("MandateEnded",))
@dataclass(frozen=True, slots=True)
class AuthorizationEnded(Fact):
    """A mandate that has nothing left to permit, and why."""

    mandate_id: str
    reason: str
    code: AuthorizationCode = AuthorizationCode.OTHER
