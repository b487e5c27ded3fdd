"""Proposals, tickets, and the approvals that a confirmation issues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, ClassVar

from core.model.codes import GuardCode
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, OrderRequest, Side, StopHolder, Terms, digest_of
from core.model.signal import ExitReason
from core.model.values import (
    ClientOrderId,
    Digest,
    Fraction,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    TicketId,
    plain,
)

MANUAL = "manual"
"""The strategy name of manual orders."""


class GuardRefusal(StrEnum):
    """Why the stop of a position cannot be moved, or a trailing stop or target be given to it, now (EX-12)."""

    ENTRY_FILLS = "entry_fills"
    """An entry that is filled in part has a stop of the broker's to come."""
    TRAILS = "trails"
    """A trailing stop works: it moves by itself, and the broker takes no target beside it."""
    UNANSWERED = "unanswered"
    """The broker has answered for none of its stops, and they are looked up."""
    EXIT_IN_DOUBT = "exit_in_doubt"
    EXIT_IDLE = "exit_idle"
    """The broker has an exit of all its shares, and does not trade it."""
    EXIT_WORKS = "exit_works"
    """An exit of all its shares works, or was confirmed."""
    EXIT_AT_LIMIT = "exit_at_limit"
    """An exit at a limit reserves all its shares."""
    EXIT_WAITS = "exit_waits"
    """An exit waits for its key."""
    EXIT_CONFIRMED = "exit_confirmed"
    """A trailing stop or a target was confirmed, and waits for the broker."""
    FRACTION = "fraction"
    """The broker takes no part of a share in such an order."""


@dataclass(frozen=True, slots=True)
class StopPlan:
    """The stop of an entry: its price in USD, and its holder (OP-06).

    Attributes
    ----------
    behind
        For a trailing entry, whose fill price is unknown: the stop trails this many USD behind, from the fill on.
        `price` is then its level by the market at staging.
    """

    price: Price
    holder: StopHolder
    behind: Price | None = None

    def way_from(self, price: Decimal) -> Decimal:
        """Loss at the stop per share of an entry at this price, USD."""
        return abs(price - self.price) if self.behind is None else self.behind


@dataclass(frozen=True, slots=True)
class NoStop:
    """The order needs no stop, and why."""

    reason: str


def at_stake(price: Decimal, farthest: Decimal, stop: StopPlan | NoStop | None) -> Decimal:
    """Return USD per share at risk: from the entry's `farthest` fill to its stop, or `price` if the desk and the broker
    hold no stop.
    """
    if not isinstance(stop, StopPlan) or stop.holder is StopHolder.YOU:
        return price
    return stop.way_from(farthest)


@dataclass(frozen=True, slots=True)
class ListedExit:
    """An exit that this desk watches, listed on the ticket of its entry.

    `price` is in USD; None if it has none, or if it is unknown yet.
    """

    words: str
    price: Price | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed order. It is never sent without an approval (OP-01).

    Attributes
    ----------
    signal_time
        Start of the bar that made it; the instant of the command for a manual one (UTC).
    expires_at
        None on an exit: it stays while its condition holds.
    exit_reason
        None on an order that opens or adds.
    target_price
        Profit target of an entry, USD, of any origin; None if its signal named none.
    ttl_seconds
        How long it may work at the broker, as typed; None uses the settings (EX-07).
    guard
        Why this desk staged it automatically, because no stop or exit works; None for everything else.
    """

    id: ProposalId
    strategy: str
    order: AnyOrder
    stop: StopPlan | NoStop
    signal_time: datetime
    staged_at: datetime
    expires_at: datetime | None
    reason: str
    intended_price: Price | None
    reference: Price | None
    exit_reason: ExitReason | None
    target_price: Price | None = None
    ttl_seconds: int | None = None
    guard: GuardCode | None = None

    @property
    def symbol(self) -> Symbol:
        return self.order.symbol

    @property
    def only_reduces(self) -> bool:
        return self.order.effect.only_reduces

    @property
    def is_guard(self) -> bool:
        """Whether it is a stop that is moved or restored: it protects a position, and closes nothing now."""
        return self.order.type.is_stop and self.exit_reason is ExitReason.STOP_LOSS

    @property
    def is_owed(self) -> bool:
        """Whether it is a stop that this desk stages for shares that are owed one.

        It is sent before everything else (EX-22).
        """
        is_by_itself = self.guard not in (None, GuardCode.BY_HAND)
        return is_by_itself and self.is_guard and self.order.replaces is None

    @property
    def is_exit(self) -> bool:
        """Whether it closes a position, or a part of it; it is sent before everything but owed stops (OP-06)."""
        return self.only_reduces and not self.is_guard

    @property
    def waits_for_its_price(self) -> bool:
        """An exit that a person asked for and that would rest at the broker: it sells nothing at once."""
        return self.is_exit and self.exit_reason is ExitReason.MANUAL and not self.order.type.goes_at_once


class CheckResult(Enum):
    """Result of one check."""

    PASSES = "passes"
    WARNS = "warns"
    REFUSES = "refuses"


FIGURES, LINK, PRICE = AT_THE_KEY = ("fresh figures", "link", "price")
"""Checks at the confirmation beside the gate's; listed only if they do not pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One check's result, with the reason in words and figures."""

    check: str
    standing: CheckResult
    reason: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Verdict):
            return NotImplemented
        return (self.check, self.standing, self.reason) == (other.check, other.standing, other.reason)

    def __hash__(self) -> int:
        return hash((self.check, self.standing, self.reason))


class UnsaidVerdict(Verdict):
    """A passing verdict whose text is built when it is read, because a review does not need it.

    Serialised like any other.

    `say` depends on immutable values alone.
    """

    __slots__ = ("say",)
    __dataclass_fields__: ClassVar[Any] = Verdict.__dataclass_fields__

    say: Callable[[], str]
    standing = CheckResult.PASSES

    @property
    def reason(self) -> str:
        return self.say()

    def __reduce__(self) -> tuple[type[Verdict], tuple[str, CheckResult, str]]:
        return Verdict, (self.check, self.standing, self.reason)


_new, _check, _say = object.__new__, Verdict.__dict__["check"].__set__, UnsaidVerdict.__dict__["say"].__set__


def unsaid(check: str, say: Callable[[], str]) -> Verdict:
    """Set the slots directly: a frozen type's constructor takes twice as long, and a review builds thirty."""
    made = _new(UnsaidVerdict)
    _check(made, check)
    _say(made, say)
    return made


@dataclass(frozen=True, slots=True)
class Review:
    """Every check's verdict on one order, in the gate's order."""

    verdicts: tuple[Verdict, ...]

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.standing is CheckResult.REFUSES)

    @property
    def warnings(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.standing is CheckResult.WARNS)

    @property
    def passes(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True)
class ReviewFigures:
    """The ticket's figures, computed when it was opened.

    An unavailable figure is None, and the ticket says so.
    """

    cost: Money | None
    worst_loss: Money | None
    share_of_equity: Fraction | None
    buying_power_after: Money | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """The order exactly as shown and as it would be sent (OP-03).

    Attributes
    ----------
    cancels
        Our own working orders that are cancelled first (EX-21).
    digest
        Digest that the confirming key signs; see `digest_of_ticket`.
    unattended
        Exits that are sent without a key, confirmed with the order; empty if each needs its key (OP-06).
    """

    id: TicketId
    proposal_id: ProposalId
    account: str
    order: AnyOrder
    stop: StopPlan | NoStop
    cancels: tuple[ClientOrderId, ...]
    digest: Digest
    opened_at: datetime
    ends_at: datetime
    figures: ReviewFigures
    review: Review
    price_at_opening: Price | None
    unattended: tuple[ListedExit, ...] = ()


def digest_of_ticket(
    account: str,
    order: OrderRequest,
    stop: StopPlan | NoStop,
    cancels: tuple[ClientOrderId, ...],
    unattended: tuple[ListedExit, ...] = (),
) -> Digest:
    """Digest of everything on a ticket that reaches the broker: the order, its protective stop, its cancels, and the
    exits that may be sent unattended (OP-02, OP-06).
    """
    protection = (plain(stop.price), stop.holder.value) if isinstance(stop, StopPlan) else ("-", "-")
    behind = stop.behind if isinstance(stop, StopPlan) else None
    trail = () if behind is None else (plain(behind),)
    exits = [f"{exit.words} {'-' if exit.price is None else plain(exit.price)}" for exit in unattended]
    signed = ("unattended", *exits) if exits else ()
    return digest_of(order.digest(account), *protection, *trail, *cancels, *signed)


@dataclass(frozen=True, slots=True)
class Approval:
    """Permission for one order, valid once (OP-02).

    Attributes
    ----------
    authorization_id
        The authorization that released the order; None if the confirmation itself permits it.
    order_digest
        `OrderRequest.digest` of the only order that it permits.
    lapses_at
        5 s after the confirmation, or the authorization's own end (UTC).
    less_of
        Our confirmed exit that this replaces with a smaller quantity, or sends again under a new id (EX-24); None for
        every other permission.
    """

    id: str
    ticket_id: TicketId
    authorization_id: str | None
    order_digest: Digest
    lapses_at: datetime
    less_of: ClientOrderId | None = None


class AuthorizationKind(Enum):
    """Permissions of a confirmed ticket beyond its own order."""

    PROTECTIVE_STOP = "protective_stop"
    """A stop at each fill of the entry, in sum up to the filled quantity (OP-06)."""
    CLOSE = "close"
    """The sale that follows when the stop that reserved the shares is cancelled (EX-21)."""
    RESTORE_STOP = "restore_stop"
    """The same stop again for the rest after that sale: all of it if the sale was refused (EX-21)."""
    EXITS = "exits"
    """The exits of the entry's position, without a key, up to the end of its session (OP-06)."""
    BASKET = "plan"
    """One order of a confirmed basket, at its turn (OP-05)."""

    __hash__ = object.__hash__
    """A member exists once; the hash of its name costs a call."""


@dataclass(frozen=True, slots=True)
class StandingAuthorization:
    """Limits that a confirmation sets for later orders; each order is checked again at its turn (OP-02).

    Attributes
    ----------
    quantity
        The largest sum of its orders; a protective stop's also stays within the filled quantity.
    stop_price
        The only stop price it permits; None for a market sale.
    terms
        The only type and prices that it permits; None in records from before there were terms.
    held
        Of a close and of the stops that it restores: the shares of the position at the key, and what the orders that it
        cancels had sold by then. None for the other kinds, after a split, and in records from before it was noted.
    """

    id: str
    kind: AuthorizationKind
    ticket_id: TicketId
    ticket_digest: Digest
    parent: ClientOrderId
    symbol: Symbol
    side: Side
    quantity: Quantity
    stop_price: Price | None
    ends_at: datetime
    terms: Terms | None = None
    held: Quantity | None = None
