"""Orders and what the broker says of them: states, fills, positions, doubt, and how it answers at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from core.facts import older_records
from core.facts.registry import Fact, fact
from core.model.codes import BlockCode, CancelCode, EndCode, IdleCode, OwedReason, RefusalKind
from core.model.order import AnyOrder, LegRole, OrderStatus
from core.model.past_order import PastOrder
from core.model.position import AnyTrade, Fill
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan
from core.model.stated_terms import StatedTerms
from core.model.values import (
    BrokerOrderId,
    ClientOrderId,
    Price,
    ProposalId,
    Quantity,
    Symbol,
)


class Source(Enum):
    """Who says so: our own act, or the broker by answer, stream, look-up or reconciliation."""

    DESK = "desk"
    ANSWER = "answer"
    STREAM = "stream"
    LOOK_UP = "look_up"
    RECONCILIATION = "reconciliation"


@fact(version=5)
@dataclass(frozen=True, slots=True)
class OrderCreated(Fact):
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
    target_price
        Of an entry, where it means to take its profit, USD, whoever does it; None where its signal named none.
    counted_at
        What a share of an entry was measured at when its key was turned, USD: the most that it may cost. None of what
        only reduces, and where nothing said so.
    """

    order: AnyOrder
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
    target_price: Price | None = None
    counted_at: Price | None = None


@fact()
@dataclass(frozen=True, slots=True)
class OrdersRecalled(Fact):
    """The broker tells something new of an order that had left memory: it is here again, and what belongs to it.

    Each stands as it was when it was forgotten, so that no reading of the journal needs to look anything up.
    """

    orders: tuple[PastOrder, ...]


@fact()
@dataclass(frozen=True, slots=True)
class OrderRestated(Fact):
    """The broker changed the terms of an order of ours: they are its terms now (EX-13).

    Attributes
    ----------
    before, after
        All terms, as they were and as the broker states them.
    """

    client_order_id: ClientOrderId
    before: StatedTerms
    after: StatedTerms


@fact()
@dataclass(frozen=True, slots=True)
class OrderRevived(Fact):
    """The broker had ended an order of ours and works it again: it works here too, for it guards what is held."""

    client_order_id: ClientOrderId
    broker_order_id: BrokerOrderId


@fact()
@dataclass(frozen=True, slots=True)
class OrderIdled(Fact):
    """The broker has an exit of ours and does not trade it now: it works on, and covers nothing (EX-22).

    `word` is the broker's own for it; empty where it is only not filled.
    """

    client_order_id: ClientOrderId
    code: IdleCode
    word: str


@fact()
@dataclass(frozen=True, slots=True)
class OrderTradesAgain(Fact):
    """By the broker's word an exit of ours that did not trade can trade again: it covers what it closes."""

    client_order_id: ClientOrderId
    word: str


@fact()
@dataclass(frozen=True, slots=True)
class LegResized(Fact):
    """The broker made a leg smaller or larger: its sibling was filled in part (EX-13)."""

    client_order_id: ClientOrderId
    quantity: Quantity


@fact(aliases=("LegsMissing",))
@dataclass(frozen=True, slots=True)
class ContingentOrdersMissing(Fact):
    """The broker has the order without the legs that the ticket listed: its stop is sent on its own (OP-06)."""

    client_order_id: ClientOrderId


@fact(version=4, upgrades={1: older_records.order_state_changed})
@dataclass(frozen=True, slots=True)
class OrderStateChanged(Fact):
    """One step of the state machine (EX-01, EX-03).

    `code` says how it ended where its state does not; `refusal` is what the broker meant that refused it in its answer,
    and its own words and number are in the reason.
    """

    client_order_id: ClientOrderId
    before: OrderStatus
    after: OrderStatus
    source: Source
    broker_order_id: BrokerOrderId | None
    reason: str
    code: EndCode = EndCode.AS_ITS_STATE_SAYS
    refusal: RefusalKind | None = None


@fact(aliases=("OrderInDoubt",))
@dataclass(frozen=True, slots=True)
class OrderStateUnknown(Fact):
    """Whether the request arrived is not known (EX-06). Look-ups follow; nothing is sent again."""

    client_order_id: ClientOrderId
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class OrderNotFound(Fact):
    """The broker itself said that it has no such order; counted before it is believed (EX-06)."""

    client_order_id: ClientOrderId


@fact(version=2, upgrades={1: older_records.submission_blocked})
@dataclass(frozen=True, slots=True)
class SubmissionBlocked(Fact):
    """The gateway did not let the order out."""

    client_order_id: ClientOrderId
    reason: str
    code: BlockCode = BlockCode.OTHER


@fact(version=3)
@dataclass(frozen=True, slots=True)
class OrderKept(Fact):
    """The broker has not got the order, and it is to be sent yet (EX-22).

    Attributes
    ----------
    again_at
        When it is sent again. None where the desk left, and the order waited in our own queue to the end.
    is_absent
        Whether it was sent, and the broker, asked for long enough, never had it (EX-06). Else it took no requests.
    """

    client_order_id: ClientOrderId
    approval: Approval
    again_at: datetime | None = None
    is_absent: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class KeptOrderReleased(Fact):
    """An order that was kept is sent now, by the permission that it was kept with (EX-22)."""

    client_order_id: ClientOrderId


@fact()
@dataclass(frozen=True, slots=True)
class PermissionReturned(Fact):
    """A mandate released an order that never left: it permits as many again (EX-22)."""

    client_order_id: ClientOrderId
    mandate_id: str
    quantity: Quantity


@fact()
@dataclass(frozen=True, slots=True)
class StopAskedFor(Fact):
    """A stop that its ticket signed is owed, and what was signed permits it no more: it waits on a ticket of its own.

    So many shares are asked for once, whatever becomes of that ticket.
    """

    client_order_id: ClientOrderId
    mandate_id: str
    quantity: Quantity


@fact()
@dataclass(frozen=True, slots=True)
class StopCut(Fact):
    """How many shares a stop is owed yet that was made less, or taken back because it was for too much (EX-13).

    Each order that is sent for them takes its own off that.
    """

    client_order_id: ClientOrderId
    owed: Quantity


@fact()
@dataclass(frozen=True, slots=True)
class StopOwed(Fact):
    """Shares whose ticket named a stop have had none in force for seconds, and a person is told so (EX-22)."""

    symbol: Symbol
    strategy: str
    quantity: Quantity
    since: datetime
    why: OwedReason


@fact()
@dataclass(frozen=True, slots=True)
class StopInForce(Fact):
    """No share of the position is owed a stop any more; `quantity` is the most that was, for `why` in the end (EX-22).

    Not of what was over within a second.
    """

    symbol: Symbol
    strategy: str
    quantity: Quantity
    since: datetime
    until: datetime
    why: OwedReason


@fact(version=2)
@dataclass(frozen=True, slots=True)
class OrderSent(Fact):
    """The request of an order left at `sent_at`, as the gateway let it pass; this record's own time is its answer's.

    Whatever the answer was: it follows in the same act (EX-16). `bid` and `ask` are the quote that the desk had when
    the answer came, USD (AN-03); None where it had none, and in what is older than they are.
    """

    client_order_id: ClientOrderId
    sent_at: datetime
    bid: Price | None = None
    ask: Price | None = None


@fact()
@dataclass(frozen=True, slots=True)
class BrokerWarned(Fact):
    """The broker took the order and warned of it; the operator's word on that is still to come (OP-11)."""

    client_order_id: ClientOrderId
    warnings: tuple[str, ...]


@fact(version=2)
@dataclass(frozen=True, slots=True)
class WarningConfirmed(Fact):
    """The operator read the broker's warning and lets the order stand."""

    client_order_id: ClientOrderId
    terminal: str = ""
    user: str = ""


@fact(version=2, upgrades={1: older_records.cancel_requested})
@dataclass(frozen=True, slots=True)
class CancelRequested(Fact):
    client_order_id: ClientOrderId
    reason: str
    code: CancelCode = CancelCode.OTHER


@fact()
@dataclass(frozen=True, slots=True)
class OtherTakenBack(Fact):
    """The broker is asked to cancel an order that is not this desk's, because it could open (OP-07).

    `order` says what it is, in words; that it is gone is learnt from the broker's books.
    """

    broker_order_id: BrokerOrderId
    order: str
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class CancelFailed(Fact):
    """The broker did not take the cancel; the order stays as it was (EX-07). `refusal`: of what kind its no was."""

    client_order_id: ClientOrderId
    reason: str
    refusal: RefusalKind | None = None


@fact()
@dataclass(frozen=True, slots=True)
class CancelDropped(Fact):
    """A cancel that the broker did not take is not asked for again: what it was for was given up (EX-21)."""

    client_order_id: ClientOrderId
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class OrderFilled(Fact):
    """An execution, once per execution id (EX-05). It moves the order's filled quantity and the position.

    `cumulative` is the filled quantity that the broker's own account of the order gives with it.
    """

    fill: Fill
    cumulative: Quantity
    source: Source
    is_late: bool


@fact()
@dataclass(frozen=True, slots=True)
class PositionChanged(Fact):
    """What the fill before it made of the position; told for the reader, folded from the fill."""

    symbol: Symbol
    strategy: str
    quantity: Quantity
    average_price: Price | None


@fact(version=4)
@dataclass(frozen=True, slots=True)
class TradeClosed(Fact):
    """The position is flat; told for the reader, folded from the fills."""

    trade: AnyTrade


@fact()
@dataclass(frozen=True, slots=True)
class FillNotBelieved(Fact):
    """An execution that the order has no room for was told and not counted; the broker's books are asked (EX-05)."""

    client_order_id: ClientOrderId
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class UpdateIgnored(Fact):
    """A broker's update that was stale, repeated, backward or unknown: counted, nothing changed (EX-02)."""

    client_order_id: ClientOrderId
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class CallFailed(Fact):
    """A request had no answer that can be believed; told while the breaker counts (EX-15)."""

    call: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class CallAnswered(Fact):
    """The broker answered; told where that ends a row of failures, or was slow.

    `took` is in seconds from the gateway's pass; None where it was not measured.
    """

    call: str
    took: Decimal | None
    is_slow: bool


@fact()
@dataclass(frozen=True, slots=True)
class BreakerOpened(Fact):
    """No entry leaves before `until`; where that is None, before the operator clears it."""

    reason: str
    until: datetime | None


@fact()
@dataclass(frozen=True, slots=True)
class BreakerClosed(Fact):
    """Entries may leave again."""

    reason: str
