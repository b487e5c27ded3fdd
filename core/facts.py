"""Everything that can happen. A fact is the only thing that changes state, and the journal holds nothing else.

Each is frozen, named in the past tense, and carries what was used to decide it. `VERSIONS` names those whose shape has
changed since the first journal; every other is version 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from core.model.bar import Bar
from core.model.order import LegRole, OrderRequest, OrderStatus
from core.model.position import Fill, Trade
from core.model.reconciliation import Difference
from core.model.signal import ExitReason
from core.model.staging import Approval, Mandate, Proposal, Review, StopPlan, Ticket
from core.model.values import (
    BrokerOrderId,
    ClientOrderId,
    Digest,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    TicketId,
)
from core.settings import Settings

# ── the desk itself ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SettingsApplied:
    """The settings from here on. Folds read only these."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class InstallationNamed:
    """The name that manual orders hash (EX-04); recorded once, and anew where a reset or a restore forgets orders."""

    name: str


@dataclass(frozen=True, slots=True)
class StateReset:
    """The operator had everything forgotten: the first record of the journal that began then (SP-04).

    Attributes
    ----------
    when
        By the wall clock; the record itself bears the time at which the journal before it ended.
    last_record, forgotten_until
        Number and time of the last record before.
    backup
        The archive that keeps what was there.
    """

    when: datetime
    last_record: int
    forgotten_until: datetime
    backup: str


@dataclass(frozen=True, slots=True)
class StateRestored:
    """An archive took the place of journal and documents (SP-04).

    Attributes
    ----------
    when
        By the wall clock.
    lost
        Records of the journal before that the archive does not hold.
    forgotten_until
        What the market said up to here may have had its order at the broker.
    backup
        The archive that keeps what was there; None where nothing was.
    """

    when: datetime
    archive: str
    lost: int
    forgotten_until: datetime
    backup: str | None


@dataclass(frozen=True, slots=True)
class EngineStarted:
    """An engine took up this journal. It trades only after `ReconciliationPassed`."""


@dataclass(frozen=True, slots=True)
class EngineStopped:
    """A clean stop."""

    reason: str


@dataclass(frozen=True, slots=True)
class DayStarted:
    """The first account figure of a New York day: what a daily loss is measured against (RK-03)."""

    day: date
    equity: Money


# ── market ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A complete regular bar. Folding it runs the strategies."""

    bar: Bar


@dataclass(frozen=True, slots=True)
class MarketDataQuarantined:
    """A message that no strategy may see, where it stood, and why."""

    place: str
    reason: str


# ── what the operator shuts ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StrategyPaused:
    """It opens nothing on this symbol from here on, over restarts too; its exits go on."""

    strategy: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class StrategyResumed:
    strategy: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class SymbolRefused:
    """No entry in this symbol for the rest of this New York day."""

    symbol: Symbol
    day: date
    reason: str


# ── proposals, tickets, confirmations ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ProposalStaged:
    proposal: Proposal
    review: Review


@dataclass(frozen=True, slots=True)
class ProposalSkipped:
    """A signal or a typed order that did not become a proposal, with every reason.

    `proposal` is what a strategy would have staged and the gate refused; None where there is nothing to follow.
    """

    strategy: str
    symbol: Symbol
    signal_time: datetime
    reasons: tuple[str, ...]
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class ProposalEdited:
    """Another quantity or limit under the same id. What was shown before it can no longer be confirmed."""

    proposal: Proposal
    review: Review


@dataclass(frozen=True, slots=True)
class EditRefused:
    """The proposal stays as it was, and why."""

    proposal_id: ProposalId
    reasons: tuple[str, ...]


class ProposalEnd(Enum):
    """How a proposal left the stage."""

    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class ProposalEnded:
    proposal_id: ProposalId
    end: ProposalEnd
    reason: str


@dataclass(frozen=True, slots=True)
class TicketOpened:
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class TicketClosed:
    """The ticket can no longer be confirmed."""

    ticket_id: TicketId
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmationReceived:
    """The key was turned on this digest. It mints the approval; nothing is sent before the checks ran again."""

    ticket_id: TicketId
    digest: Digest
    approval: Approval
    mandates: tuple[Mandate, ...]


@dataclass(frozen=True, slots=True)
class ConfirmationRefused:
    ticket_id: TicketId
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderApproved:
    """Every check passed on figures fetched fresh (OP-03); those that were used stand here."""

    ticket_id: TicketId
    approval_id: str
    review: Review
    equity: Money | None
    buying_power: Money | None
    bid: Price | None
    ask: Price | None


@dataclass(frozen=True, slots=True)
class ApprovalRedeemed:
    """Permission used up for exactly this order; the intent follows in the same act."""

    approval: Approval
    client_order_id: ClientOrderId
    order_digest: Digest
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class MandateEnded:
    """A mandate that has nothing left to permit, and why."""

    mandate_id: str
    reason: str


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Source(Enum):
    """Who says so: our own act, or the broker by answer, stream, look-up or reconciliation."""

    DESK = "desk"
    ANSWER = "answer"
    STREAM = "stream"
    LOOK_UP = "look_up"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class OrderCreated:
    """The intent, written before anything is sent: an order in PENDING and where it comes from.

    Attributes
    ----------
    parent
        The entry that a protective stop belongs to, the order that a leg was made with; None on an order of its own.
    intended_price
        What the fill is measured against, USD (EX-18).
    role
        Of a leg, which the broker made and named; taken in when it told, because the ticket had listed it. None of
        every other order.
    """

    order: OrderRequest
    proposal_id: ProposalId
    strategy: str
    signal_time: datetime
    stop: StopPlan | None
    parent: ClientOrderId | None
    exit_reason: ExitReason | None
    intended_price: Price | None
    reference: Price | None
    expires_at: datetime | None
    role: LegRole | None = None


@dataclass(frozen=True, slots=True)
class LegResized:
    """The broker made a leg smaller or larger: its rival was filled in part (EX-13)."""

    client_order_id: ClientOrderId
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class LegsMissing:
    """The broker has the order without the legs that the ticket listed: its stop is sent on its own (OP-06)."""

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class OrderStateChanged:
    """One step of the state machine (EX-01, EX-03)."""

    client_order_id: ClientOrderId
    before: OrderStatus
    after: OrderStatus
    source: Source
    broker_order_id: BrokerOrderId | None
    reason: str


@dataclass(frozen=True, slots=True)
class OrderInDoubt:
    """Whether the request arrived is not known (EX-06). Look-ups follow; nothing is sent again."""

    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class OrderNotFound:
    """The broker itself said that it has no such order; counted before it is believed (EX-06)."""

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class SubmissionBlocked:
    """The gateway did not let the order out."""

    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class OrderSent:
    """The request of an order left at `sent_at`, as the gateway let it pass; this record's own time is its answer's.

    Whatever the answer was: it follows in the same act (EX-16).
    """

    client_order_id: ClientOrderId
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class BrokerWarned:
    """The broker took the order and warned of it; the operator's word on that is still to come (OP-11)."""

    client_order_id: ClientOrderId
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WarningConfirmed:
    """The operator read the broker's warning and lets the order stand."""

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class CancelRequested:
    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class CancelFailed:
    """The broker did not take the cancel; the order stays as it was (EX-07)."""

    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class CancelDropped:
    """A cancel that the broker did not take is not asked for again: what it was for was given up (EX-21)."""

    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """An execution, once per execution id (EX-05). It moves the order's filled quantity and the position.

    `cumulative` is the filled quantity that the broker's own account of the order gives with it.
    """

    fill: Fill
    cumulative: Quantity
    source: Source
    is_late: bool


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """What the fill before it made of the position; told for the reader, folded from the fill."""

    symbol: Symbol
    strategy: str
    quantity: Quantity
    average_price: Price | None


@dataclass(frozen=True, slots=True)
class TradeClosed:
    """The position is flat; told for the reader, folded from the fills."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class UpdateIgnored:
    """A broker's update that was stale, repeated, backward or unknown: counted, nothing changed (EX-02)."""

    client_order_id: ClientOrderId
    reason: str


# ── how the broker answers ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A request had no answer that can be believed; told while the breaker counts (EX-15)."""

    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The broker answered; told where that ends a row of failures, or was slow.

    `took` is in seconds from the gateway's pass; None where it was not measured.
    """

    call: str
    took: Decimal | None
    is_slow: bool


@dataclass(frozen=True, slots=True)
class BreakerOpened:
    """No entry leaves before `until`; where that is None, before the operator clears it."""

    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class BreakerClosed:
    """Entries may leave again."""

    reason: str


# ── halts, kills, reconciliation ─────────────────────────────────────────────────────────────────────────────────────


class HaltCause(Enum):
    KEY = "key"
    SIGNAL = "signal"
    INVARIANT = "invariant"
    RECONCILIATION = "reconciliation"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Halted:
    cause: HaltCause
    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The operator cleared what the key or an invariant had halted."""

    cause: HaltCause


@dataclass(frozen=True, slots=True)
class Killed:
    """Latched until it is re-armed on purpose (OP-07). `by` names the door: key, file, environment, command."""

    by: str


@dataclass(frozen=True, slots=True)
class Rearmed:
    """The word was typed in full."""


@dataclass(frozen=True, slots=True)
class ReconciliationPassed:
    """Our books and the broker's agree, or were corrected within the limits (EX-09).

    `differences` are those that were found, corrected ones and those that are only shown.
    """

    corrections: tuple[str, ...]
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ReconciliationFailed:
    """The desk is read-only, and why; `differences` are those that were found."""

    reasons: tuple[str, ...]
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class PositionCorrected:
    """The broker is right: a position taken over from its books. `average_price` is None when flat."""

    symbol: Symbol
    quantity: Quantity
    average_price: Price | None
    reason: str


Fact = (
    SettingsApplied
    | InstallationNamed
    | StateReset
    | StateRestored
    | EngineStarted
    | EngineStopped
    | DayStarted
    | BarClosed
    | MarketDataQuarantined
    | StrategyPaused
    | StrategyResumed
    | SymbolRefused
    | ProposalStaged
    | ProposalSkipped
    | ProposalEdited
    | EditRefused
    | ProposalEnded
    | TicketOpened
    | TicketClosed
    | ConfirmationReceived
    | ConfirmationRefused
    | OrderApproved
    | ApprovalRedeemed
    | MandateEnded
    | OrderCreated
    | LegResized
    | LegsMissing
    | OrderStateChanged
    | OrderInDoubt
    | OrderNotFound
    | SubmissionBlocked
    | OrderSent
    | BrokerWarned
    | WarningConfirmed
    | CancelRequested
    | CancelFailed
    | CancelDropped
    | OrderFilled
    | PositionChanged
    | TradeClosed
    | UpdateIgnored
    | CallFailed
    | CallAnswered
    | BreakerOpened
    | BreakerClosed
    | Halted
    | Resumed
    | Killed
    | Rearmed
    | ReconciliationPassed
    | ReconciliationFailed
    | PositionCorrected
)

VERSIONS: dict[str, int] = {
    "ProposalStaged": 2,
    "ProposalSkipped": 3,
    "ProposalEdited": 2,
    "TicketOpened": 2,
    "ConfirmationReceived": 2,
    "OrderCreated": 2,
    "ReconciliationPassed": 2,
    "ReconciliationFailed": 2,
}
"""Facts whose shape changed, and the version that is written now."""

RELEARNED = (BarClosed, MarketDataQuarantined)
"""Facts that need no sync of their own: lost in a crash, they are heard again from the source."""
