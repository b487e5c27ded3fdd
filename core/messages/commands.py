"""Commands of the operator about orders, baskets, strategies and halts, and the list of all commands.

Each is for one account, and enters as an input. Those about the desk itself are in `core.messages.desk_commands`.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime
from decimal import Decimal

from core.messages.desk_commands import (
    Addressed,
    AttachDesk,
    CompareActivities,
    DecidePause,
    DetachDesk,
    DropAlert,
    EarningsFileSeen,
    EnrollTouchKey,
    KeepAlert,
    KeepWatchlist,
    KeyPressed,
    LookAt,
    LoseDesk,
    ReloadLimits,
    RemoveTouchKey,
    ServeDesks,
    SettingsFileSeen,
    StopEngine,
    TakeKey,
    ThesesFileSeen,
    WatchlistFilesSeen,
)
from core.model.basket import BasketSource, Deployment, SkippedRow
from core.model.desk import PaintProof, Sender
from core.model.instrument import ListKind
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, StopHolder, TimeInForce
from core.model.reconciliation import Difference
from core.model.touch import TouchSignature
from core.model.values import ClientOrderId, Digest, Fraction, Money, Price, ProposalId, Quantity, Symbol, TicketId

WHOLE = Fraction(Decimal(1))


@dataclass(frozen=True, slots=True)
class OpenTicket(Addressed):
    """Open a ticket. `unattended` asks for one that also confirms the order's exits: they need no key then (OP-06)."""

    proposal_id: ProposalId
    unattended: bool = False


@dataclass(frozen=True, slots=True)
class LeaveTicket(Addressed):
    """The operator closed the ticket without a decision."""

    ticket_id: TicketId


@dataclass(frozen=True, slots=True)
class Confirm(Addressed):
    """Confirm exactly the shown ticket: its digest, and the effect of the pressed key.

    `replaces` is None for B, H, S and C; for R it is the order that the ticket would replace. `sender` is its port,
    with terminal and user, as of everything else that opens or loosens (OP-13). `hold` is the control period in which
    the ticket was painted, and `proof` how that is known; a desk sends both. `word` was typed for an entry that is like
    another; else empty (RK-25). `reviewed` are the places of the draft's facts that differed and were reviewed (OP-14).
    `touch` is an enrolled security key's signature over `ticket_message`, where an opening order needs one (OP-15).
    """

    ticket_id: TicketId
    digest: Digest
    effect: Effect
    replaces: ClientOrderId | None = None
    word: str = field(default="", kw_only=True)
    reviewed: tuple[int, ...] = field(default=(), kw_only=True)
    touch: TouchSignature | None = field(default=None, kw_only=True)
    hold: int | None = field(default=None, compare=False, kw_only=True)
    proof: PaintProof | None = field(default=None, compare=False, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Decline(Addressed):
    proposal_id: ProposalId
    reason: str


@dataclass(frozen=True, slots=True)
class ProposeOrder(Addressed):
    """A manual order; it becomes a proposal like any other.

    Attributes
    ----------
    stop_price
        For an entry, the price of its stop. For an exit, its own, for a stop or a stop-limit; for a limit exit the stop
        that is cancelled when the limit is reached, and vice versa (OCO).
    target_price
        For an entry of whole shares, the price at which the broker takes the profit (bracket).
    trail_price, trail_fraction
        For a trailing stop: USD or a fraction of the price, one of them.
    trigger_price
        For a stop or stop-limit entry, the price from which it trades, above the market to buy, below it to sell short.
    ttl_seconds
        For an entry, when this desk cancels it, counted from its sending; None uses the settings (EX-07).
    draft
        The number of the agent's draft that it adopts; None for an order that a person typed.
    """

    symbol: Symbol
    effect: Effect
    quantity: Quantity
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    stop_holder: StopHolder
    time_in_force: TimeInForce = TimeInForce.DAY
    target_price: Price | None = None
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    trigger_price: Price | None = None
    ttl_seconds: int | None = None
    draft: int | None = None


@dataclass(frozen=True, slots=True)
class ProposeClose(Addressed):
    """Stage the close of a position, or of a part of it.

    Attributes
    ----------
    quantity
        Exactly so many shares; None to use `part`.
    strategy
        The owner of the symbol's position; None for each of them.
    """

    symbol: Symbol
    part: Fraction = WHOLE
    quantity: Quantity | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class ProposeFlattening(Addressed):
    """Stage one close per position."""


@dataclass(frozen=True, slots=True)
class BasketRow:
    """One order of a basket as it was written.

    Attributes
    ----------
    place
        Its place in the file, for the message if it is left out.
    effect
        OPEN, SHORT, CLOSE or COVER: the position decides whether it adds or only reduces.
    quantity, notional
        Shares, or USD to compute them from; one of them. Without both it closes all of a position, or takes a share of
        the basket's deployment.
    stop_price
        For an entry, the price of its stop, held by the broker.
    trigger_price, trail_price, trail_fraction, ttl_seconds
        For an entry, as in `ProposeOrder`.
    """

    place: str
    symbol: Symbol
    effect: Effect
    quantity: Quantity | None
    notional: Money | None
    type: OrderType
    limit_price: Price | None = None
    stop_price: Price | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    trigger_price: Price | None = None
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class OpenBasket(Addressed):
    """Open a basket: of waiting proposals, of a file's orders, or of every close (OP-05).

    `name` is the file's; `skipped` are its unreadable rows; `request` is the id that the command gives its request.
    `deploy` is for entries without a size.
    """

    source: BasketSource
    name: str = ""
    rows: tuple[BasketRow, ...] = ()
    skipped: tuple[SkippedRow, ...] = ()
    request: str = ""
    deploy: Deployment | None = None


@dataclass(frozen=True, slots=True)
class ReversePosition(Addressed):
    """Open a basket that closes all of a position and then opens as much the other way (OP-05).

    `quantity` is the position on the screen, below zero if short; if it has changed no basket opens.
    """

    symbol: Symbol
    strategy: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class MarkInBasket(Addressed):
    plan_id: TicketId
    proposal_id: ProposalId
    is_marked: bool


@dataclass(frozen=True, slots=True)
class SignBasket(Addressed):
    """Confirm with `P` exactly the shown basket.

    `worth` is the typed cost of the basket's entries, USD, for real money (OP-05). `touch` signs
    `basket_message` where it has entries that need one (OP-15). `hold`, `proof` as in `Confirm`.
    """

    plan_id: TicketId
    digest: Digest
    worth: Money | None = None
    touch: TouchSignature | None = field(default=None, kw_only=True)
    hold: int | None = field(default=None, compare=False, kw_only=True)
    proof: PaintProof | None = field(default=None, compare=False, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AnswerBasket(Addressed):
    """The operator's answer to a basket that asks: send the buys that still fit, or stop (EX-10).

    Attributes
    ----------
    question
        When the painted question began: a yes answers that question and no later one.
    hold, proof
        As in `Confirm`.
    """

    plan_id: TicketId
    goes_on: bool
    question: datetime | None = None
    hold: int | None = field(default=None, compare=False, kw_only=True)
    proof: PaintProof | None = field(default=None, compare=False, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class LeaveBasket(Addressed):
    """Close an unconfirmed basket, or stop a running one: its unsent orders are not sent."""

    plan_id: TicketId


@dataclass(frozen=True, slots=True)
class EditProposal(Addressed):
    """Change quantity or limit of a waiting proposal: its ticket closes, and the next one shows the new order."""

    proposal_id: ProposalId
    quantity: Quantity
    limit_price: Price | None


@dataclass(frozen=True, slots=True)
class MoveStop(Addressed):
    """Stage another price for the stop that the broker holds for a position, or a new stop if it holds none."""

    symbol: Symbol
    strategy: str
    stop_price: Price


@dataclass(frozen=True, slots=True)
class TightenStop(Addressed):
    """Stage a nearer price for the stops that the broker holds for a position; stops that are as near already stay.

    `stop_price` is None for break-even, by the books when the command arrives.
    """

    symbol: Symbol
    strategy: str
    stop_price: Price | None = None


@dataclass(frozen=True, slots=True)
class TrailStop(Addressed):
    """Stage a trailing stop for all of a position: its stop, and its target where it has one, make way (EX-12, EX-21).

    `trail_price` is USD and `trail_fraction` a part of the price; one of them.
    """

    symbol: Symbol
    strategy: str
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None


@dataclass(frozen=True, slots=True)
class SetTarget(Addressed):
    """Stage a target for all of a position; with a stop in force both become a pair, an OCO (EX-12)."""

    symbol: Symbol
    strategy: str
    target_price: Price


@dataclass(frozen=True, slots=True)
class EditOrder(Addressed):
    """Stage the replacement of a working entry by one with another quantity or price.

    Attributes
    ----------
    quantity
        Of the whole entry, filled shares included.
    limit_price
        None keeps it.
    stop_price
        Of its stop, for the replacement's fills; None keeps it.
    """

    client_order_id: ClientOrderId
    quantity: Quantity
    limit_price: Price | None
    stop_price: Price | None


@dataclass(frozen=True, slots=True)
class TakeBackExits(Addressed):
    """Require a key again for each exit of this position that was confirmed with its entry (OP-06).

    A confirmed exit that waits for the broker's limit of requests is taken back (RK-24).
    """

    symbol: Symbol
    strategy: str


@dataclass(frozen=True, slots=True)
class ChooseExitRules(Addressed):
    """Say whether the exit rules watch a position that no strategy opened (ST-09)."""

    symbol: Symbol
    strategy: str
    is_watched: bool
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class PauseStrategy(Addressed):
    """Pause a strategy on a symbol: no entries; its exits continue."""

    strategy: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class ResumeStrategy(Addressed):
    strategy: str
    symbol: Symbol
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ReinstateStrategy(Addressed):
    """End a retirement or a pause in a regime; `word` that of an invalidated thesis (ST-10, AN-07)."""

    strategy: str
    word: str = ""
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class DecidePromotion(Addressed):
    """Decide on the larger allocation that is proposed for a strategy (ST-10)."""

    strategy: str
    is_adopted: bool
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RefuseSymbol(Addressed):
    """Refuse a symbol for today: no entry in it is staged until the next trading day."""

    symbol: Symbol
    reason: str


@dataclass(frozen=True, slots=True)
class ListSymbol(Addressed):
    """Block entries in a symbol, for a reason; a restriction names the day it ends (RK-26)."""

    symbol: Symbol
    kind: ListKind
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class UnlistSymbol(Addressed):
    """Remove a symbol from that list; the word is typed in full (RK-26)."""

    symbol: Symbol
    kind: ListKind
    word: str
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AdoptDraft(Addressed):
    """Make a proposal of an agent's draft, which still needs its ticket and key (OP-09).

    `digest` is that of the draft that the desk shows; a draft of that number with another digest is refused.
    """

    number: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class DeclineDraft(Addressed):
    """Decline exactly that draft of an agent; the agent is told the reason."""

    number: int
    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class DropRecommendation(Addressed):
    """Withdraw an adopted recommendation before its strategy uses it."""

    strategy: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class RequestCancel(Addressed):
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class Halt(Addressed):
    """Halt: the first press of the kill key, or a signal; entries are blocked."""

    by: str


@dataclass(frozen=True, slots=True)
class Resume(Addressed):
    """Stand down before `K`: ends the key's halt, and no halt of another cause.

    Attributes
    ----------
    everything
        Whether the operator typed in full that the other halts end too: an invariant's, and that of a night that
        retired every strategy.
    """

    everything: bool = False
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Kill(Addressed):
    """Kill: latch, and cancel orders that could open or add."""

    by: str
    naked: bool = False


@dataclass(frozen=True, slots=True)
class ExplainKill(Addressed):
    """State why the kill in force was made; a later reason replaces it."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmWarning(Addressed):
    """Keep an order of which the broker warned with exactly these texts (OP-11)."""

    client_order_id: ClientOrderId
    warnings: tuple[str, ...]
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ClearBreaker(Addressed):
    """Let entries pass again although the broker has not shown that it answers (EX-15)."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class OverrideProtection(Addressed):
    """Override a protection in one scope, so that entries pass; the word is typed in full (RK-06)."""

    name: str
    scope: str
    word: str
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Rearm(Addressed):
    """Re-arm. `word` is the typed word; `despite` are the orders in doubt that were shown with it."""

    word: str
    despite: tuple[ClientOrderId, ...] = ()
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AcceptBooks(Addressed):
    """Accept the broker's books in a read-only desk; the word is typed in full (EX-09).

    `shown` are the differences that the operator read: books that show others are not accepted.
    """

    word: str
    shown: tuple[Difference, ...]
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


Keyed = (
    Confirm
    | SignBasket
    | AnswerBasket
    | ConfirmWarning
    | Resume
    | Rearm
    | AcceptBooks
    | ClearBreaker
    | OverrideProtection
    | ReloadLimits
    | ResumeStrategy
    | ReinstateStrategy
    | DecidePromotion
    | DecidePause
    | ChooseExitRules
    | UnlistSymbol
    | EnrollTouchKey
    | RemoveTouchKey
    | ServeDesks
    | AttachDesk
    | DetachDesk
    | LoseDesk
    | TakeKey
    | StopEngine
)
"""Commands that open, loosen, or change permissions: accepted only from a port that the engine knows (OP-01, OP-13)."""

Loosens = (
    AnswerBasket
    | ConfirmWarning
    | Resume
    | Rearm
    | AcceptBooks
    | ClearBreaker
    | OverrideProtection
    | ReloadLimits
    | ResumeStrategy
    | ReinstateStrategy
    | DecidePromotion
    | ChooseExitRules
    | UnlistSymbol
)
"""Commands that loosen, without a ticket that could show that their key came late."""

Command = (
    OpenTicket
    | LeaveTicket
    | Confirm
    | Decline
    | ProposeOrder
    | LookAt
    | KeepWatchlist
    | KeepAlert
    | DropAlert
    | ProposeClose
    | ProposeFlattening
    | OpenBasket
    | ReversePosition
    | MarkInBasket
    | SignBasket
    | AnswerBasket
    | LeaveBasket
    | EditProposal
    | MoveStop
    | TightenStop
    | TrailStop
    | SetTarget
    | EditOrder
    | TakeBackExits
    | ChooseExitRules
    | PauseStrategy
    | ResumeStrategy
    | ReinstateStrategy
    | DecidePromotion
    | DecidePause
    | RefuseSymbol
    | ListSymbol
    | UnlistSymbol
    | AdoptDraft
    | DeclineDraft
    | DropRecommendation
    | RequestCancel
    | Halt
    | Resume
    | Kill
    | ExplainKill
    | ConfirmWarning
    | ClearBreaker
    | OverrideProtection
    | ReloadLimits
    | EnrollTouchKey
    | RemoveTouchKey
    | CompareActivities
    | SettingsFileSeen
    | WatchlistFilesSeen
    | ThesesFileSeen
    | EarningsFileSeen
    | Rearm
    | AcceptBooks
    | ServeDesks
    | AttachDesk
    | DetachDesk
    | LoseDesk
    | TakeKey
    | KeyPressed
    | StopEngine
)
