"""A basket: many orders confirmed once (OP-05), with its phases and its final report (EX-10)."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus, Side, digest_of
from core.model.staging import Proposal, Review, digest_of_ticket
from core.model.values import ClientOrderId, Digest, Money, Price, ProposalId, Quantity, Symbol, TicketId


class BasketSource(Enum):
    """Origin of the basket's orders."""

    PROPOSALS = "the waiting proposals"
    FILE = "a file"
    FLATTEN = "flatten everything"
    REVERSAL = "a reversal"
    """All of a position closed, and as much opened the other way."""

    @property
    def brings_its_orders(self) -> bool:
        """Whether its orders are in no list of proposals before their turns."""
        return self in (BasketSource.FILE, BasketSource.REVERSAL)


class DeploymentWeight(Enum):
    """How an amount is shared among entries without a size (RK-18)."""

    EQUAL = "equal"
    RISK = "risk"
    """By 1 ÷ ATR %."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """USD for the entries of a basket that name no size."""

    amount: Money
    weight: DeploymentWeight = DeploymentWeight.EQUAL


class BasketPhase(Enum):
    """Phases of a basket, in their order."""

    OPEN = "open"
    """Its orders are being marked; nothing is confirmed."""
    TAKING_BACK = "taking back the entries"
    """Flattening: working entries are cancelled before anything is sold."""
    SELLING = "selling"
    """Reducing orders are sent, one after the other."""
    WAITING = "waiting for the sells"
    ASKING = "asks you"
    """A sell is not filled: the buys wait for the operator's decision (EX-10)."""
    BUYING = "buying"
    SETTLING = "waiting for the buys"
    REPORTING = "asking the broker for the report"
    OVER = "over"


class BasketEnd(Enum):
    """How a basket ended."""

    DONE = "done"
    STOPPED = "stopped"
    LEFT = "put aside"
    LAPSED = "lapsed"


class BasketOrderState(Enum):
    """Status of one confirmed order."""

    WAITING = "waits for its turn"
    CHECKING = "checked on fresh figures"
    CLEARING = "its stop makes way"
    SENT = "sent"
    IN_DOUBT = "in doubt"
    WORKING = "working"
    FILLED = "filled"
    ENDED = "ended unfilled"
    REFUSED = "refused"
    TAKING_BACK = "being taken back"
    """A working entry that a flattening cancels."""
    TAKEN_BACK = "taken back"

    @property
    def is_over(self) -> bool:
        """Whether the status is final."""
        return self in (
            BasketOrderState.FILLED,
            BasketOrderState.ENDED,
            BasketOrderState.REFUSED,
            BasketOrderState.TAKEN_BACK,
        )

    @property
    def holds_the_turn(self) -> bool:
        """Whether the next order waits for it."""
        return self in (BasketOrderState.CHECKING, BasketOrderState.SENT)


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One order of a basket; `refusals` are those of the dry run when the basket was opened."""

    proposal: Proposal
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that became no order, its place, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """An order of a file and the dry run's verdict on it.

    Attributes
    ----------
    origin
        Its place in the file, and how its size was computed.
    words
        The order, as in `BUY 47 SPY limit 166.76`.
    price, cost
        Where it would trade now, or its limit, and its cost or what it frees, USD; None if unknown.
    refusals
        Why it would be refused; empty if it passes.
    """

    origin: str
    words: str
    symbol: Symbol
    side: Side
    quantity: Quantity
    price: Price | None
    cost: Money | None
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BasketCheck:
    """The dry run of a file's orders, of which nothing was staged; `refusal` is against the basket as a whole."""

    at: datetime
    orders: tuple[CheckedOrder, ...]
    skipped: tuple[SkippedRow, ...]
    refusal: str = ""

    @property
    def passes(self) -> bool:
        """Whether every row is an order that would pass."""
        return not (self.refusal or self.skipped or any(order.refusals for order in self.orders))


@dataclass(frozen=True, slots=True)
class Basket:
    """A list of orders, reducing ones first; none can be sent before the basket is confirmed.

    Attributes
    ----------
    ends_at
        When it expires unconfirmed (UTC).
    request
        The id given by the command that asked for it; empty if no command did.
    """

    id: TicketId
    source: BasketSource
    name: str
    lines: tuple[BasketLine, ...]
    skipped: tuple[SkippedRow, ...]
    opened_at: datetime
    ends_at: datetime
    request: str = ""


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """One order of a confirmed basket: exactly this one may be sent, at its turn, once (OP-02).

    Attributes
    ----------
    cancels
        Our own working orders that are cancelled for it first (EX-21).
    price
        The market price at the confirmation, or its limit: the price against which its fill is measured, USD.
    touch
        The other side of the quote at the confirmation, from which an entry's price may not run away (OP-04), USD.
    power_after
        Buying power left after it in the dry run, USD.
    """

    proposal: Proposal
    cancels: tuple[ClientOrderId, ...]
    review: Review
    price: Price | None
    touch: Price | None
    power_after: Money | None

    @property
    def order_id(self) -> ClientOrderId:
        return self.proposal.order.client_order_id

    def digest(self, account: str) -> Digest:
        return digest_of_ticket(account, self.proposal.order, self.proposal.stop, self.cancels)


def digest_of_basket(
    account: str, plan_id: TicketId, orders: tuple[Digest, ...], taken_back: tuple[ClientOrderId, ...] = ()
) -> Digest:
    """Digest that `P` confirms: the entries cancelled first, then every order with its stop and cancels, in sending
    order.
    """
    cancels = ("taken back", *taken_back) if taken_back else ()
    return digest_of("plan", account, plan_id, *cancels, *orders)


TYPED_HOLDS = Decimal("0.02")
"""Allowed deviation of the value of a basket's entries from the typed one, as a share; a dollar is always allowed."""


def whole_dollars(worth: Money) -> str:
    """Format the value of a basket's entries as it is typed for real money (OP-05)."""
    return str(worth.to_integral_value(ROUND_HALF_UP))


def holds_as_typed(typed: Decimal, worth: Money) -> bool:
    """Whether the typed value still matches the cost."""
    return abs(typed - worth) <= max(Decimal(1), TYPED_HOLDS * worth)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """Result of one order of a basket.

    Attributes
    ----------
    status
        None if it was never sent; `reason` says why.
    expected
        `SignedOrder.price`.
    """

    proposal_id: ProposalId
    symbol: Symbol
    side: Side
    quantity: Quantity
    filled: Quantity
    expected: Price | None
    average: Price | None
    status: OrderStatus | None
    reason: str


@dataclass(frozen=True, slots=True)
class BasketReport:
    """The broker's report when a basket has ended (EX-10).

    Attributes
    ----------
    positions
        Net quantity of each symbol of the basket, by the broker's books; empty if it did not answer.
    power_before, power_after
        Buying power at the confirmation and at the end, USD.
    is_of_the_broker
        False if the broker did not answer in time: then the report is the desk's own.
    left
        For a flattening, as text: positions still held and entries still working.
    """

    lines: tuple[ReportLine, ...]
    positions: tuple[tuple[Symbol, Quantity], ...]
    power_before: Money | None
    power_after: Money | None
    is_of_the_broker: bool
    left: tuple[str, ...] = ()
