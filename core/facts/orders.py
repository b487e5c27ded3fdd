"""Orders and the broker's reports of them: states, fills, positions, doubt, and its answers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum

from core.facts import registry
from core.facts.registry import Fact, fact
from core.model.account import Channel
from core.model.codes import BlockCode, CancelCode, EndCode, IdleCode, OwedReason, RefusalKind
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, AnyRole, OrderStatus, Side
from core.model.order_terms import StatedTerms
from core.model.position import AnyTrade, Fill, PastOrder
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan
from core.model.values import BrokerOrderId, ClientOrderId, Money, Price, ProposalId, Quantity, Symbol


class Source(Enum):
    """Source of a change: our own action, or the broker by answer, stream, look-up or reconciliation."""

    DESK = "desk"
    ANSWER = "answer"
    STREAM = "stream"
    LOOK_UP = "look_up"
    RECONCILIATION = "reconciliation"


@fact(version=7)
@dataclass(frozen=True, slots=True)
class OrderCreated(Fact):
    """The intent, recorded before anything is sent: a PENDING order with its origin.

    Attributes
    ----------
    parent
        The entry that a protective stop belongs to, or the order that a leg was made with; None on an independent
        order.
    intended_price
        The price against which the fill is measured, USD (EX-18).
    role
        Role of a leg, which the broker made and named; recorded when reported, because the ticket had listed it. Or of
        an order that only records the fills of an external one. None for every other order.
    target_price
        Profit target of an entry, USD, of any origin; None if its signal named none.
    counted_at
        The highest price per share of an entry, as measured at its confirmation, USD. None for reducing orders, and if
        unknown.
    again_of
        The exit that it is sent again for, because the broker had another order with that one's id (EX-24).
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
    role: AnyRole | None = None
    target_price: Price | None = None
    counted_at: Price | None = None
    again_of: ClientOrderId | None = None


@fact(version=4)
@dataclass(frozen=True, slots=True)
class OrdersRecalled(Fact):
    """The broker reports something new about an order that had left memory: it is restored, with its related orders.

    Each is restored as it was, so that no reader of the journal needs a look-up.
    """

    orders: tuple[PastOrder, ...]


@fact()
@dataclass(frozen=True, slots=True)
class OrderRestated(Fact):
    """The broker changed the terms of an order of ours; they are its terms now (EX-13).

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
    """The broker had ended an order of ours and works it again: it works here too, because it protects a position."""

    client_order_id: ClientOrderId
    broker_order_id: BrokerOrderId


@fact()
@dataclass(frozen=True, slots=True)
class OrderIdled(Fact):
    """The broker has an exit of ours and does not trade it now: it stays working, and protects nothing (EX-22).

    `word` is the broker's status; empty if it is only not filled.
    """

    client_order_id: ClientOrderId
    code: IdleCode
    word: str


@fact()
@dataclass(frozen=True, slots=True)
class OrderTradesAgain(Fact):
    """By the broker's report an exit of ours that was idle or in doubt can trade again: it protects its position."""

    client_order_id: ClientOrderId
    word: str


@fact()
@dataclass(frozen=True, slots=True)
class LegResized(Fact):
    """The broker changed the quantity of a leg, because its sibling was filled in part (EX-13)."""

    client_order_id: ClientOrderId
    quantity: Quantity


@fact(aliases=("LegsMissing",))
@dataclass(frozen=True, slots=True)
class ContingentOrdersMissing(Fact):
    """The broker has the order without the legs that the ticket listed: its stop is sent separately (OP-06)."""

    client_order_id: ClientOrderId


@fact(version=5, upgrades={1: registry.order_state_changed})
@dataclass(frozen=True, slots=True)
class OrderStateChanged(Fact):
    """One step of the state machine (EX-01, EX-03).

    `code` tells how it ended if its state does not; `refusal` is the code of the broker's refusal in its answer, and
    the broker's own text and number are in the reason.
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
    """Whether the request arrived is unknown, or the broker knows an exit of ours no more (EX-06, EX-22).

    Look-ups follow; nothing is sent again.
    """

    client_order_id: ClientOrderId
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class OrderNotFound(Fact):
    """The broker answered that it has no such order; counted before it is believed (EX-06)."""

    client_order_id: ClientOrderId


@fact(version=2, upgrades={1: registry.submission_blocked})
@dataclass(frozen=True, slots=True)
class SubmissionBlocked(Fact):
    """The gateway blocked the order."""

    client_order_id: ClientOrderId
    reason: str
    code: BlockCode = BlockCode.OTHER


@fact(version=5, upgrades={3: registry.authorized})
@dataclass(frozen=True, slots=True)
class OrderKept(Fact):
    """The broker does not have the order, and it is still to be sent (EX-22).

    Attributes
    ----------
    again_at
        When it is sent again. None if the desk stopped while the order waited in our own queue.
    is_absent
        Whether it was sent, and the broker, after repeated look-ups, never had it (EX-06). Else the broker accepted no
        requests.
    was_refused
        Whether the broker had refused it while it accepted no order of the account: it is unsent again.
    """

    client_order_id: ClientOrderId
    approval: Approval
    again_at: datetime | None = None
    is_absent: bool = False
    was_refused: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class KeptOrderReleased(Fact):
    """A kept order is sent now, with the permission it was kept with (EX-22)."""

    client_order_id: ClientOrderId


@fact(version=2, upgrades={1: registry.authorized})
@dataclass(frozen=True, slots=True)
class PermissionReturned(Fact):
    """An authorization released an order that was never sent: its quantity is available again (EX-22)."""

    client_order_id: ClientOrderId
    authorization_id: str
    quantity: Quantity


@fact(version=2, upgrades={1: registry.authorized})
@dataclass(frozen=True, slots=True)
class StopAskedFor(Fact):
    """A stop of a confirmed ticket is owed, and its authorization no longer permits it: it waits on a new ticket.

    These shares are staged once, whatever the outcome of that ticket.
    """

    client_order_id: ClientOrderId
    authorization_id: str
    quantity: Quantity


@fact()
@dataclass(frozen=True, slots=True)
class StopCut(Fact):
    """The shares still owed a stop after it was reduced, or cancelled for a too large quantity (EX-13).

    Each order sent for them subtracts its own.
    """

    client_order_id: ClientOrderId
    owed: Quantity


@fact()
@dataclass(frozen=True, slots=True)
class StopOwed(Fact):
    """Shares whose ticket named a stop have had none in force for seconds, and the operator is notified (EX-22)."""

    symbol: Symbol
    strategy: str
    quantity: Quantity
    since: datetime
    why: OwedReason


@fact()
@dataclass(frozen=True, slots=True)
class StopInForce(Fact):
    """No share of the position is owed a stop any more; `quantity` is the most that was, for `why` in the end (EX-22).

    Not recorded if it lasted less than a second.
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
    """The request of an order was sent at `sent_at`, when the gateway passed it.

    This record's own time is its answer's.

    Recorded for every answer, which follows in the same transaction (EX-16). `bid` and `ask` are the desk's quote when
    the answer came, USD (AN-03); None without a quote, and in older records.
    """

    client_order_id: ClientOrderId
    sent_at: datetime
    bid: Price | None = None
    ask: Price | None = None


@fact()
@dataclass(frozen=True, slots=True)
class BrokerWarned(Fact):
    """The broker accepted the order with warnings; the operator has not confirmed them yet (OP-11)."""

    client_order_id: ClientOrderId
    warnings: tuple[str, ...]


@fact(version=2)
@dataclass(frozen=True, slots=True)
class WarningConfirmed(Fact):
    """The operator read the broker's warning and keeps the order."""

    client_order_id: ClientOrderId
    terminal: str = ""
    user: str = ""


@fact(version=2, upgrades={1: registry.cancel_requested})
@dataclass(frozen=True, slots=True)
class CancelRequested(Fact):
    client_order_id: ClientOrderId
    reason: str
    code: CancelCode = CancelCode.OTHER


@fact()
@dataclass(frozen=True, slots=True)
class OtherTakenBack(Fact):
    """The broker is asked to cancel an order that is not this desk's, because it could open (OP-07).

    `order` describes it as text; the broker's books show when it is gone.
    """

    broker_order_id: BrokerOrderId
    order: str
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class CancelFailed(Fact):
    """The broker did not accept the cancel; the order stays as it was (EX-07). `refusal` is the code of its refusal."""

    client_order_id: ClientOrderId
    reason: str
    refusal: RefusalKind | None = None


@fact()
@dataclass(frozen=True, slots=True)
class CancelDropped(Fact):
    """A refused cancel is not requested again, because its purpose was given up (EX-21)."""

    client_order_id: ClientOrderId
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class OrderFilled(Fact):
    """An execution, once per execution id (EX-05). It changes the order's filled quantity and the position.

    `cumulative` is the filled quantity that the broker's report of the order gives with it.
    """

    fill: Fill
    cumulative: Quantity
    source: Source
    is_late: bool


@fact(version=2)
@dataclass(frozen=True, slots=True)
class PositionChanged(Fact):
    """The position after the fill before it; informational, folded from the fill.

    `realised` is that fill's profit less its fee, USD (`core.model.position`); None in records of version 1.
    """

    symbol: Symbol
    strategy: str
    quantity: Quantity
    average_price: Price | None
    realised: Money | None = None


@fact(version=4)
@dataclass(frozen=True, slots=True)
class TradeClosed(Fact):
    """The position is flat; informational, folded from the fills."""

    trade: AnyTrade


@fact()
@dataclass(frozen=True, slots=True)
class FillReversed(Fact):
    """The broker took back fills of an order of ours, in whole or in part: books and result follow (EX-05, EX-09).

    A correction is recorded as the reversal of the old execution and the fill of the new one.

    Attributes
    ----------
    quantity
        Shares that count no more; zero if only the price was corrected.
    cost
        What they had counted in the order's filled cost, USD; of a corrected price, the old cost less the new.
    cumulative
        The order's filled quantity after it.
    realised
        Change of the realised profit, USD: an exit's profit is taken back.
    undone
        The closed trade that is open again or has other prices; None if no trade was closed by these fills.
    corrected
        That trade with its corrected prices; None if it is open again.
    """

    client_order_id: ClientOrderId
    symbol: Symbol
    strategy: str
    side: Side
    quantity: Quantity
    cost: Money
    cumulative: Quantity
    source: Source
    realised: Money
    undone: AnyTrade | None = None
    corrected: AnyTrade | None = None

    @property
    def is_of_an_exit(self) -> bool:
        """Whether these fills had closed the trade; its entry's have no trade to reopen."""
        return self.undone is not None and self.undone.exit_order == self.client_order_id


@fact()
@dataclass(frozen=True, slots=True)
class FillNotBelieved(Fact):
    """An execution beyond the order's remaining quantity was reported and not counted.

    The broker's books are checked (EX-05).
    """

    client_order_id: ClientOrderId
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class UpdateIgnored(Fact):
    """A broker's update that was stale, repeated, backward or unknown: counted, nothing changed (EX-02)."""

    client_order_id: ClientOrderId
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class BrokerMessagesQuarantined(Fact):
    """What could not be read of the broker's messages: counted, and everything else is used (EX-26).

    Attributes
    ----------
    count
        Updates that name no order since the last record of them; for an answer, how often it had the fault so far.
    reason
        The fault; of several updates, that of the last one.
    """

    line: Channel
    reason: str
    count: int = 1


@fact(version=2)
@dataclass(frozen=True, slots=True)
class CallFailed(Fact):
    """A request had no usable answer; recorded while the breaker counts (EX-15).

    `orders_in_a_row` counts the orders without an answer since the last answered one; 0 for any other request, and in
    version 1, where an answered query ended the row.
    """

    call: str
    reason: str
    orders_in_a_row: int = 0


@fact()
@dataclass(frozen=True, slots=True)
class CallAnswered(Fact):
    """The broker answered; recorded if that ends a row of failures, or was slow.

    `took` is in seconds from the gateway's pass; None if it was not measured.
    """

    call: str
    took: Decimal | None
    is_slow: bool


@fact()
@dataclass(frozen=True, slots=True)
class BreakerOpened(Fact):
    """No entry is sent before `until`; if that is None, before the operator clears it."""

    reason: str
    until: datetime | None


@fact()
@dataclass(frozen=True, slots=True)
class BreakerClosed(Fact):
    """Entries may be sent again."""

    reason: str
