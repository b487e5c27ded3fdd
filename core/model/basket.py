"""A basket: many orders that are signed once (OP-05): what it holds, where it stands, what its end reports (EX-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from core.model.order import OrderStatus, Side, digest_of
from core.model.staging import Proposal, Review, digest_of_ticket
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


class BasketSource(Enum):
    """Where its orders come from."""

    PROPOSALS = "the waiting proposals"
    FILE = "a file"
    FLATTEN = "flatten everything"
    REVERSAL = "a reversal"
    """All of a position closed, and as much opened the other way."""

    @property
    def brings_its_orders(self) -> bool:
        """Whether they stand in no list of proposals before their turns."""
        return self in (BasketSource.FILE, BasketSource.REVERSAL)


class BasketPhase(Enum):
    """Where a basket stands, in the order in which it gets there."""

    OPEN = "open"
    """Its orders are being marked; nothing is signed."""
    TAKING_BACK = "taking back the entries"
    """Flattening: what works and could open is cancelled before anything is sold."""
    SELLING = "selling"
    """What reduces goes out, one after the other."""
    WAITING = "waiting for the sells"
    ASKING = "asks you"
    """A sell is not filled: the buys wait for the operator's word (EX-10)."""
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
    """Where one signed order stands."""

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
        """Nothing more comes of it."""
        return self in (
            BasketOrderState.FILLED,
            BasketOrderState.ENDED,
            BasketOrderState.REFUSED,
            BasketOrderState.TAKEN_BACK,
        )

    @property
    def holds_the_turn(self) -> bool:
        """The next order waits for it."""
        return self in (BasketOrderState.CHECKING, BasketOrderState.SENT)


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One order of a basket; `refusals` are what the dry run had against it when the basket was opened."""

    proposal: Proposal
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that became no order at all, where it stood, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Basket:
    """A list of orders, what reduces first; nothing of it can be sent before it is signed.

    Attributes
    ----------
    ends_at
        When it lapses unsigned (UTC).
    request
        What a command called its asking for it; empty where no command asked.
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
    """One order of a signed basket: exactly this one may go, at its turn, once (OP-02).

    Attributes
    ----------
    cancels
        Our own working orders that make way for it (EX-21).
    price
        At which it would have traded at the signing, or its limit: what its fill is measured against, USD.
    touch
        The other side of the quote at the signing, from which an entry's price may not run away (OP-04), USD.
    power_after
        Buying power that the dry run left after it, USD.
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
    """What `P` signs: the entries that are taken back first, then every order of it, with its stops and what makes
    way, in the order in which they go.
    """
    cancels = ("taken back", *taken_back) if taken_back else ()
    return digest_of("plan", account, plan_id, *cancels, *orders)


TYPED_HOLDS = Decimal("0.02")
"""How far the value of a basket's entries may go from the one that was typed, of it; a dollar is always allowed."""


def whole_dollars(worth: Money) -> str:
    """How the value of a basket's entries is typed, where it is real money (OP-05)."""
    return str(worth.to_integral_value(ROUND_HALF_UP))


def holds_as_typed(typed: Decimal, worth: Money) -> bool:
    """Whether what was typed is still what they cost."""
    return abs(typed - worth) <= max(Decimal(1), TYPED_HOLDS * worth)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """What became of one order of a basket.

    Attributes
    ----------
    status
        None where it was never sent; `reason` says why.
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
    """What the broker says when a basket has ended (EX-10).

    Attributes
    ----------
    positions
        Net quantity of each symbol of the basket, by the broker's books; empty where it did not answer.
    power_before, power_after
        Buying power at the signing and at the end, USD.
    is_of_the_broker
        False where the broker did not answer in time: what stands here is what the desk knows.
    left
        Of a flattening, in words: every position that is still held, and every entry that still works.
    """

    lines: tuple[ReportLine, ...]
    positions: tuple[tuple[Symbol, Quantity], ...]
    power_before: Money | None
    power_after: Money | None
    is_of_the_broker: bool
    left: tuple[str, ...] = ()
