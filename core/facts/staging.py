"""Facts from a proposal to an intent, of baskets, and of security keys and their touches (OP-15)."""

from __future__ import annotations

from datetime import date, datetime

from core.facts import registry
from core.facts.registry import Fact, fact
from core.model.basket import Basket, BasketEnd, BasketPhase, BasketReport, SignedOrder
from core.model.codes import AuthorizationCode, BasketStop, Denial, ProposalEnd, TicketEnd
from core.model.desk import DeskNumber, KeyTurn
from core.model.lazy_dataclass import dataclass
from core.model.staging import Approval, Proposal, Review, StandingAuthorization, Ticket
from core.model.touch import TouchCode, TouchKey, TouchPurpose, TouchTerms
from core.model.values import ClientOrderId, Digest, Money, Price, ProposalId, Quantity, Symbol, TicketId


@fact(version=3)
@dataclass(frozen=True, slots=True)
class StrategyPaused(Fact):
    """A strategy may not open on this symbol from here on, over restarts too; its exits continue.

    `reason` is why the desk itself did it; empty if the operator did. A strategy that `rests` was too slow: it receives
    no bar while it holds nothing.
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


@fact(version=6, upgrades={4: registry.proposed})
@dataclass(frozen=True, slots=True)
class ProposalStaged(Fact):
    """An order was staged. `bid` and `ask` are the desk's quote at that time, USD (AN-03).

    None without a quote, and in older records.
    """

    proposal: Proposal
    review: Review
    bid: Price | None = None
    ask: Price | None = None


@fact(version=6, upgrades={5: registry.refused_by_checks})
@dataclass(frozen=True, slots=True)
class ProposalSkipped(Fact):
    """A signal or a manual order that did not become a proposal, with every reason.

    `proposal` is the one that the gate refused, for a shadow trade; None if there is nothing to follow. `checks` are
    those that gave the first reasons, in their order; the other reasons have no check.
    """

    strategy: str
    symbol: Symbol
    signal_time: datetime
    reasons: tuple[str, ...]
    proposal: Proposal | None = None
    checks: tuple[str, ...] = ()


@fact(version=5, upgrades={4: registry.proposed})
@dataclass(frozen=True, slots=True)
class ProposalEdited(Fact):
    """Another quantity or limit under the same id. The version shown before can no longer be confirmed."""

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
    """A ticket was opened.

    `bid` and `ask` are its fetched quote, USD (AN-03); None without one, and in older records.
    """

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


@fact(version=6, upgrades={5: registry.authorized})
@dataclass(frozen=True, slots=True)
class ConfirmationReceived(Fact):
    """The digest was confirmed. It issues the approval; nothing is sent before the checks ran again.

    `terminal` and `user` are where the key was pressed (OP-13); empty for an order of a confirmed basket or a confirmed
    exit, and in older records. `turn` has the desk, its control period, and how its ticket was seen; None without a
    desk.
    """

    ticket_id: TicketId
    digest: Digest
    approval: Approval
    authorizations: tuple[StandingAuthorization, ...]
    terminal: str = ""
    user: str = ""
    turn: KeyTurn | None = None


@fact()
@dataclass(frozen=True, slots=True)
class TwinConfirmed(Fact):
    """With this ticket's key the word was typed for an entry that is like another one (RK-25)."""

    ticket_id: TicketId
    like: ClientOrderId


@fact(version=2, upgrades={1: registry.authorized})
@dataclass(frozen=True, slots=True)
class ExitReleased(Fact):
    """An exit is sent without a key, by the exits confirmed with its entry (OP-06); its ticket follows.

    Every check runs on fresh figures first; if one refuses, it waits for a key as any other exit does.
    """

    proposal_id: ProposalId
    authorization_id: str
    quantity: Quantity


@fact(version=2)
@dataclass(frozen=True, slots=True)
class CommandRefused(Fact):
    """A command was refused and nothing of it done: it came through no known port, was for another account, or came
    from a desk that may not send it (OP-01, OP-13).
    """

    command: str
    reason: str
    code: Denial = Denial.OTHER
    desk: DeskNumber | None = None


@fact(version=2, upgrades={1: registry.refused_by_checks})
@dataclass(frozen=True, slots=True)
class ConfirmationRefused(Fact):
    """A confirmation was refused.

    `checks` are those that gave the first reasons, in their order; the other reasons have no check.
    """

    ticket_id: TicketId
    reasons: tuple[str, ...]
    checks: tuple[str, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class OrderApproved(Fact):
    """Every check passed on fresh figures (OP-03), which are recorded here."""

    ticket_id: TicketId
    approval_id: str
    review: Review
    equity: Money | None
    buying_power: Money | None
    bid: Price | None
    ask: Price | None


@fact(version=3, upgrades={2: registry.authorized})
@dataclass(frozen=True, slots=True)
class ApprovalRedeemed(Fact):
    """The approval was used for exactly this order; the intent follows in the same transaction."""

    approval: Approval
    client_order_id: ClientOrderId
    order_digest: Digest
    quantity: Quantity


@fact(version=2, upgrades={1: registry.authorized}, aliases=("MandateProlonged",))
@dataclass(frozen=True, slots=True)
class AuthorizationProlonged(Fact):
    """A confirmed close waits for a stop that is in doubt: its time is extended (EX-21, EX-22)."""

    authorization_id: str
    ends_at: datetime


@fact(version=3, upgrades={1: registry.authorization_ended, 2: registry.authorized}, aliases=("MandateEnded",))
@dataclass(frozen=True, slots=True)
class AuthorizationEnded(Fact):
    """An authorization has nothing left to permit, and why."""

    authorization_id: str
    reason: str
    code: AuthorizationCode = AuthorizationCode.OTHER


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


@fact(version=5, upgrades={4: registry.authorized}, aliases=("PlanSigned",))
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
    authorizations: tuple[StandingAuthorization, ...]
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


@fact(version=2, upgrades={1: registry.plan_moved}, aliases=("PlanMoved",))
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


@fact()
@dataclass(frozen=True, slots=True)
class TouchKeyEnrolled(Fact):
    """A security key was enrolled, by its own touch and that of a key enrolled before; the first by its own alone."""

    key: TouchKey
    terminal: str = ""
    user: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class TouchKeyRemoved(Fact):
    """A security key was removed, by the touch of an enrolled one."""

    key: TouchKey
    terminal: str = ""
    user: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class TouchKeysKept(Fact):
    """A reset or a restore left the security keys as they were before it, and a touch is needed as before.

    Attributes
    ----------
    keys
        All that are enrolled from now on.
    counters
        The last counter by fingerprint, also of removed keys.
    terms
        The settings of a touch before it: the next start takes none that is looser.
    """

    keys: tuple[TouchKey, ...]
    counters: dict[str, int]
    terms: TouchTerms


@fact()
@dataclass(frozen=True, slots=True)
class TouchVerified(Fact):
    """A touch was verified; what it permits follows in the same transaction. It is used up with this.

    Attributes
    ----------
    subject
        The ticket, the basket, the key or the settings that it is for.
    counter
        Of its key; 0 from a key that does not count.
    digest
        SHA-256 of the signed message.
    """

    purpose: TouchPurpose
    subject: str
    fingerprint: str
    counter: int
    digest: Digest


@fact()
@dataclass(frozen=True, slots=True)
class TouchRefused(Fact):
    """A touch that was needed is missing or refused, or a key is not enrolled or removed: nothing of it was done."""

    purpose: TouchPurpose
    subject: str
    code: TouchCode
