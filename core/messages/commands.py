"""What a person may say to the engine. Each is meant for one account, and enters as an input."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from core.model.alert import AlertTerms
from core.model.basket import BasketSource, SkippedRow
from core.model.desk import DeskNumber, PaintProof, Seat
from core.model.order import Effect, OrderType, StopHolder, TimeInForce
from core.model.sender import Sender
from core.model.symbol_list import ListKind
from core.model.values import (
    AccountId,
    ClientOrderId,
    Digest,
    Fraction,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    TicketId,
)
from core.model.watchlist import Watchlist

if TYPE_CHECKING:
    from core.settings.settings import Settings


WHOLE = Fraction(Decimal(1))


@dataclass(frozen=True, slots=True)
class Addressed:
    """What a person, a script or a keeper of the account says; `account` is that of the picture that it was said at.

    One that is meant for another account is refused and recorded, and so is one that names none; but a halt or a kill
    that names none stops whatever it reaches. `desk` is stamped by whoever serves the desks and by nobody else; None is
    inside the engine's process: the keeper of its files, a script at the simulated exchange.

    `came_late` is said where it is taken in: it lay before an engine that stood still, or ends a halt behind a press
    that its desk had not shown.
    """

    account: AccountId | None = field(default=None, compare=False, repr=False, kw_only=True)
    desk: DeskNumber | None = field(default=None, compare=False, repr=False, kw_only=True)
    came_late: bool = field(default=False, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ServeDesks(Addressed):
    """This engine is served to desks from here on: while none is attached, nobody attends (RK-27)."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AttachDesk(Addressed):
    """A desk watches from here on; the first one while nobody holds the key gets it (OP-13).

    Attributes
    ----------
    link
        What its connection is called in this run, for whoever asks which number it was given; it is recorded nowhere.
    returning
        The number that it had, where whoever serves it knows it again.
    by_itself
        Whether it was attached before, to this engine or another: it comes without a key.
    """

    seat: Seat
    link: str
    returning: DeskNumber | None = None
    by_itself: bool = False
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class DetachDesk(Addressed):
    """The desk leaves on purpose: what it holds is free at once."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class LoseDesk(Addressed):
    """The desk's link died: it keeps the key for a while, disarmed."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StopEngine(Addressed):
    """End the engine's process: a person was told what stays open without it, and said so."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TakeKey(Addressed):
    """The desk takes the key. `word` is what was typed, `hold` the one that was on its screen then."""

    word: str
    hold: int
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class KeyPressed(Addressed):
    """A person is at the keys of this desk, and asks the engine for nothing."""


@dataclass(frozen=True, slots=True)
class OpenTicket(Addressed):
    """`unattended` asks for one that signs the order's exits too: they need no key of their own then (OP-06)."""

    proposal_id: ProposalId
    unattended: bool = False


@dataclass(frozen=True, slots=True)
class LeaveTicket(Addressed):
    """The operator put the ticket away without deciding."""

    ticket_id: TicketId


@dataclass(frozen=True, slots=True)
class Confirm(Addressed):
    """The key was turned on exactly what was shown: the digest, and the effect whose key it was.

    `replaces` is None for B, H, S and C; where the key was R it is the order that the ticket would replace. `sender` is
    the door that it came through, with terminal and user, as of everything else that opens or loosens (OP-13). `hold`
    is the hold of the key under which the ticket was painted, and `proof` how that is known; a desk says both. `word`
    is what was typed for an entry that is like another; empty where nothing was (RK-25).
    """

    ticket_id: TicketId
    digest: Digest
    effect: Effect
    replaces: ClientOrderId | None = None
    word: str = field(default="", kw_only=True)
    hold: int | None = field(default=None, compare=False, kw_only=True)
    proof: PaintProof | None = field(default=None, compare=False, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Decline(Addressed):
    proposal_id: ProposalId
    reason: str


@dataclass(frozen=True, slots=True)
class ProposeOrder(Addressed):
    """An order typed by hand; it becomes a proposal like any other.

    Attributes
    ----------
    stop_price
        Of an entry: where its stop stands. Of an exit: its own, for a stop or a stop-limit; of a limit exit the stop
        that is cancelled when the limit is reached, and the other way round (OCO).
    target_price
        Of an entry of whole shares: where the broker takes the profit (bracket).
    trail_price, trail_fraction
        Of a trailing stop: USD or a fraction of the price, one of them.
    trigger_price
        Of a stop or stop-limit entry: where it begins to trade, above the market to buy, below it to sell short.
    ttl_seconds
        Of an entry: when this desk takes it back, counted from its sending; None leaves that to the settings (EX-07).
    advice
        The number of the advice that filled the form; None where none did.
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
    advice: int | None = None
    trigger_price: Price | None = None
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class LookAt(Addressed):
    """The operator types an order for this symbol: its quote and the account's figures are asked for. Nothing else."""

    symbol: Symbol


@dataclass(frozen=True, slots=True)
class KeepWatchlist(Addressed):
    """This list is these symbols from here on, in this order; without any it is removed (MD-06)."""

    name: str
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class KeepAlert(Addressed):
    """The engine rings for this from here on (MD-06)."""

    terms: AlertTerms


@dataclass(frozen=True, slots=True)
class DropAlert(Addressed):
    """It looks for that one no longer."""

    number: int


@dataclass(frozen=True, slots=True)
class ProposeClose(Addressed):
    """Stage the close of a position, or of a part of it.

    Attributes
    ----------
    quantity
        Exactly so many shares; None where `part` says how much.
    strategy
        Whose position of the symbol; None for each of them.
    """

    symbol: Symbol
    part: Fraction = WHOLE
    quantity: Quantity | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class ProposeFlattening(Addressed):
    """Stage one close a position."""


@dataclass(frozen=True, slots=True)
class BasketRow:
    """One order of a basket as it was written.

    Attributes
    ----------
    place
        Where it stood, for the message if it is left out.
    effect
        OPEN, SHORT, CLOSE or COVER: what is held decides whether it adds, and whether it only reduces.
    quantity, notional
        Shares, or USD of which the shares are worked out; one of them. None in both closes all of a position.
    stop_price
        Of an entry: where its stop stands, held by the broker.
    trigger_price, trail_price, trail_fraction, ttl_seconds
        Of an entry, as `ProposeOrder` has them.
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
    """Make a basket of a list of orders: those that wait in Proposals, those of a file, or every close (OP-05).

    `name` is the file's; `skipped` are its rows that could not be read; `request` is what a command calls its asking.
    """

    source: BasketSource
    name: str = ""
    rows: tuple[BasketRow, ...] = ()
    skipped: tuple[SkippedRow, ...] = ()
    request: str = ""


@dataclass(frozen=True, slots=True)
class ReversePosition(Addressed):
    """Open a basket that closes all of a position and opens as much the other way behind it (OP-05).

    `quantity` is what was held on the screen, below zero where short; of another there is none.
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
    """`P` was turned on exactly what was shown.

    `worth` is what was typed before it, USD: what the basket's entries cost, where it is real money (OP-05). `hold`,
    `proof` is as `Confirm` has it.
    """

    plan_id: TicketId
    digest: Digest
    worth: Money | None = None
    hold: int | None = field(default=None, compare=False, kw_only=True)
    proof: PaintProof | None = field(default=None, compare=False, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AnswerBasket(Addressed):
    """What the operator says to a basket that asks: the buys that still fit, or nothing more (EX-10).

    Attributes
    ----------
    question
        Since when the basket asked what was painted: to go on answers that question and no later one.
    hold, proof
        As `Confirm` has them.
    """

    plan_id: TicketId
    goes_on: bool
    question: datetime | None = None
    hold: int | None = field(default=None, compare=False, kw_only=True)
    proof: PaintProof | None = field(default=None, compare=False, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class LeaveBasket(Addressed):
    """Put an unsigned basket aside; stop one that runs: what has not gone does not go."""

    plan_id: TicketId


@dataclass(frozen=True, slots=True)
class EditProposal(Addressed):
    """Another quantity or limit for a waiting proposal: its ticket is over, the next one shows the new order."""

    proposal_id: ProposalId
    quantity: Quantity
    limit_price: Price | None


@dataclass(frozen=True, slots=True)
class MoveStop(Addressed):
    """Stage another price for the stop that the broker holds for a position; where it holds none, a stop."""

    symbol: Symbol
    strategy: str
    stop_price: Price


@dataclass(frozen=True, slots=True)
class TightenStop(Addressed):
    """Stage a nearer price for the stops that the broker holds for a position; those that are as near already stay.

    `stop_price` is None for break-even, as the books have it when this is heard.
    """

    symbol: Symbol
    strategy: str
    stop_price: Price | None = None


@dataclass(frozen=True, slots=True)
class EditOrder(Addressed):
    """Stage the replacement of a working entry by one with another quantity or price.

    Attributes
    ----------
    quantity
        Of the whole entry, what is filled already included.
    limit_price
        None leaves it as it is.
    stop_price
        Of the stop behind it, for what the replacement fills; None leaves it as it is.
    """

    client_order_id: ClientOrderId
    quantity: Quantity
    limit_price: Price | None
    stop_price: Price | None


@dataclass(frozen=True, slots=True)
class TakeBackExits(Addressed):
    """The exits of this position that were signed with its entry need a key again, each of them (OP-06); one whose key
    was turned and that waits for the broker's limit of requests does not go (RK-24).
    """

    symbol: Symbol
    strategy: str


@dataclass(frozen=True, slots=True)
class PauseStrategy(Addressed):
    """It opens nothing on this symbol from here on; its exits go on."""

    strategy: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class ResumeStrategy(Addressed):
    strategy: str
    symbol: Symbol
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ReinstateStrategy(Addressed):
    """What the evaluation retired, or paused in a regime, may open again (ST-10)."""

    strategy: str
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class DecidePromotion(Addressed):
    """The operator's word on the larger allocation that is proposed for a strategy (ST-10)."""

    strategy: str
    is_adopted: bool
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RefuseSymbol(Addressed):
    """Not this symbol today: no entry in it is staged until the next trading day."""

    symbol: Symbol
    reason: str


@dataclass(frozen=True, slots=True)
class ListSymbol(Addressed):
    """Nothing opens in the symbol from here on, for a reason; a restriction names the day that ends it (RK-26)."""

    symbol: Symbol
    kind: ListKind
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class UnlistSymbol(Addressed):
    """Entries in it pass that list again; the word is typed in full (RK-26)."""

    symbol: Symbol
    kind: ListKind
    word: str
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AdoptAdvice(Addressed):
    """Hand an advice to the strategy that it names, as it is (ST-04)."""

    number: int


@dataclass(frozen=True, slots=True)
class DropRecommendation(Addressed):
    """Take back what was adopted for a strategy, before it made anything of it."""

    strategy: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class RequestCancel(Addressed):
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class Halt(Addressed):
    """The first press of the kill key, or a signal: nothing new leaves from here."""

    by: str


@dataclass(frozen=True, slots=True)
class Resume(Addressed):
    """Stand down before `K`: ends what the key halted, and no halt of another cause.

    Attributes
    ----------
    everything
        Whether a person typed in full that the other halts end too: an invariant's, and that of a night which retired
        every strategy.
    """

    everything: bool = False
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Kill(Addressed):
    """Latch and cancel what could open or add."""

    by: str
    naked: bool = False


@dataclass(frozen=True, slots=True)
class ConfirmWarning(Addressed):
    """Let an order stand of which the broker warned in these very words (OP-11)."""

    client_order_id: ClientOrderId
    warnings: tuple[str, ...]
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ClearBreaker(Addressed):
    """Let entries pass again although the broker has not shown that it answers (EX-15)."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class OverrideProtection(Addressed):
    """Let entries pass what a protection shut in one scope; the word is typed in full (RK-06)."""

    name: str
    scope: str
    word: str
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Rearm(Addressed):
    """`word` is what was typed; `despite` are the orders in doubt that it was typed in sight of."""

    word: str
    despite: tuple[ClientOrderId, ...] = ()
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ReloadLimits(Addressed):
    """Trade by the limits that the settings file says now: the tighter ones, and with the word typed all (RK-13).

    Attributes
    ----------
    digest
        Of the file as its differences were shown.
    word
        What was typed; empty where nothing was.
    """

    digest: str
    word: str = ""
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class CompareActivities(Addressed):
    """Ask the broker now for what happened to the account, and compare it with the journal (EX-09, AN-06)."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class SettingsFault:
    """A settings file that cannot stand, with the place of its fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """What goes over the settings file, or did: its key, and in words `KEYTURN_RISK__DAILY_LOSS__USD is set`."""

    path: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class SettingsFileSeen(Addressed):
    """What the settings file says now, under the profile, the environment and the command line; a sighting.

    `left_out` are the `--set` of last time that this start was not given, where nothing else makes a difference;
    `sources` what else goes over the file, the highest first.
    """

    answer: Settings | SettingsFault
    left_out: tuple[str, ...] = ()
    sources: tuple[SettingsSource, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchlistFilesSeen(Addressed):
    """What the files of the watchlists say, as they are found (MD-06); no desk says it.

    Attributes
    ----------
    unread
        Lists of which the file is there and says nothing that can be taken: they stay as they are.
    has_folder
        Whether their folder is there: without it no list was removed.
    """

    lists: tuple[Watchlist, ...]
    unread: tuple[str, ...] = ()
    has_folder: bool = True


Keyed = (
    Confirm
    | SignBasket
    | AnswerBasket
    | ConfirmWarning
    | Resume
    | Rearm
    | ClearBreaker
    | OverrideProtection
    | ReloadLimits
    | ResumeStrategy
    | ReinstateStrategy
    | DecidePromotion
    | UnlistSymbol
    | ServeDesks
    | AttachDesk
    | DetachDesk
    | LoseDesk
    | TakeKey
    | StopEngine
)
"""What opens or loosens, or says who may: taken from a door that the engine knows, from nobody else (OP-01, OP-13)."""

Loosens = (
    AnswerBasket
    | ConfirmWarning
    | Resume
    | Rearm
    | ClearBreaker
    | OverrideProtection
    | ReloadLimits
    | ResumeStrategy
    | ReinstateStrategy
    | DecidePromotion
    | UnlistSymbol
)
"""What lets something pass again, without a ticket that could say that its key came late."""


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
    | EditOrder
    | TakeBackExits
    | PauseStrategy
    | ResumeStrategy
    | ReinstateStrategy
    | DecidePromotion
    | RefuseSymbol
    | ListSymbol
    | UnlistSymbol
    | AdoptAdvice
    | DropRecommendation
    | RequestCancel
    | Halt
    | Resume
    | Kill
    | ConfirmWarning
    | ClearBreaker
    | OverrideProtection
    | ReloadLimits
    | CompareActivities
    | SettingsFileSeen
    | WatchlistFilesSeen
    | Rearm
    | ServeDesks
    | AttachDesk
    | DetachDesk
    | LoseDesk
    | TakeKey
    | KeyPressed
    | StopEngine
)
