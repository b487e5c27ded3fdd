"""From wish to permission: a proposal, the ticket that shows it, and the approval that a confirmation mints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from core.model.codes import GuardCode
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
"""The strategy name of what a person typed."""


@dataclass(frozen=True, slots=True)
class StopPlan:
    """The stop of an entry: its price in USD, and who holds it (OP-06).

    Attributes
    ----------
    behind
        Of a trailing entry, which fills nobody knows where: the stop trails so many USD behind, from its fill on.
        `price` is then where that would be by the market of the staging.
    """

    price: Price
    holder: StopHolder
    behind: Price | None = None

    def way_from(self, price: Decimal) -> Decimal:
        """USD a share that are lost at it, by an entry at this price."""
        return abs(price - self.price) if self.behind is None else self.behind


@dataclass(frozen=True, slots=True)
class NoStop:
    """An order that needs none, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class ListedExit:
    """An exit, as a ticket lists it, of what that ticket would open: this desk watches it.

    `price` is in USD; None where it has none, or where none is known yet.
    """

    words: str
    price: Price | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that somebody would like to see sent. It can do nothing by itself (OP-01).

    Attributes
    ----------
    signal_time
        Start of the bar that made it; the instant of the command for a manual one (UTC).
    expires_at
        None on an exit: it stays while its condition holds.
    exit_reason
        None on an order that opens or adds.
    target_price
        Where an entry means to take its profit, USD, whoever does it; None where its signal named none.
    ttl_seconds
        How long it may work at the broker, as it was typed; None leaves that to the settings (EX-07).
    guard
        Why this desk asks for it by itself, where no stop or exit works; None of everything else.
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
        """A stop that is moved or put back: it guards a position, and closes nothing now."""
        return self.order.type.is_stop and self.exit_reason is ExitReason.STOP_LOSS

    @property
    def is_owed(self) -> bool:
        """A stop that this desk asks for: shares are owed it, and it goes before everything else (EX-22)."""
        is_by_itself = self.guard not in (None, GuardCode.BY_HAND)
        return is_by_itself and self.is_guard and self.order.replaces is None

    @property
    def is_exit(self) -> bool:
        """What takes a position off, or a part of it: it goes before all but stops that are owed (OP-06)."""
        return self.only_reduces and not self.is_guard


class CheckResult(Enum):
    """What one check says of one order."""

    PASSES = "passes"
    WARNS = "warns"
    REFUSES = "refuses"


FIGURES, LINK, PRICE = AT_THE_KEY = ("fresh figures", "link", "price")
"""What a confirmation is asked beside the gate's checks; of these only what does not pass is listed."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One check's answer, with the reason in words and figures."""

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
    """One that passes, its words made when somebody reads them: to judge takes none. It is written as any other.

    `say` rests on values alone that nothing changes.
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
    """By the slots themselves: a frozen type's own way takes twice as long, and a review has thirty of them."""
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
    """What the ticket says in money, worked out when it was opened.

    A figure that cannot be had is None, and the ticket says so.
    """

    cost: Money | None
    worst_loss: Money | None
    share_of_equity: Fraction | None
    buying_power_after: Money | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """Exactly what would be sent, as it was shown (OP-03).

    Attributes
    ----------
    cancels
        Our own working orders that are taken out of the way first (EX-21).
    digest
        What the confirming key signs; see `digest_of_ticket`.
    unattended
        The exits that go out without a key of their own, signed with the order; none where each needs its key (OP-06).
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
    exits that may go out unattended (OP-02, OP-06).
    """
    protection = (plain(stop.price), stop.holder.value) if isinstance(stop, StopPlan) else ("-", "-")
    behind = stop.behind if isinstance(stop, StopPlan) else None
    trail = () if behind is None else (plain(behind),)
    exits = [f"{exit.words} {'-' if exit.price is None else plain(exit.price)}" for exit in unattended]
    signed = ("unattended", *exits) if exits else ()
    return digest_of(order.digest(account), *protection, *trail, *cancels, *signed)


@dataclass(frozen=True, slots=True)
class Approval:
    """Permission for one order, good once (OP-02).

    Attributes
    ----------
    mandate_id
        None where the confirmation itself permits the order; else the mandate that released it.
    order_digest
        `OrderRequest.digest` of the only order that it permits.
    lapses_at
        5 s after the confirmation, or the mandate's own end (UTC).
    less_of
        The exit of ours, signed before, of which this permits less in its place; None of every other permission.
    """

    id: str
    ticket_id: TicketId
    mandate_id: str | None
    order_digest: Digest
    lapses_at: datetime
    less_of: ClientOrderId | None = None


class AuthorizationKind(Enum):
    """What a confirmed ticket permits beyond its own order."""

    PROTECTIVE_STOP = "protective_stop"
    """A stop at each fill of the entry, in sum up to the filled quantity (OP-06)."""
    CLOSE = "close"
    """The sale that follows when the stop that held the shares is gone (EX-21)."""
    RESTORE_STOP = "restore_stop"
    """The same stop again for what that sale left: all of it where it was refused (EX-21)."""
    EXITS = "exits"
    """The exits of what the entry opens, without a key of their own, up to the end of its session (OP-06)."""
    BASKET = "plan"
    """One order of a signed basket, at its turn (OP-05)."""


@dataclass(frozen=True, slots=True)
class StandingAuthorization:
    """Limits that a confirmation signed for later orders; each is checked afresh at its turn (OP-02).

    Attributes
    ----------
    quantity
        The most that all its orders may be, in sum; a protective stop's also stays within what is filled.
    stop_price
        The only stop price it permits; None for a market sale.
    terms
        The only type and prices that it permits; None in what was signed before there were terms.
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
