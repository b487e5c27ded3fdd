"""Everything that can enter the engine. Each is stamped `at` as it enters; a time inside it is data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from core.model.account import Account
from core.model.activity import DropCopy
from core.model.bar import Bar, WholeSession
from core.model.broker import (
    Accepted,
    BrokerPicture,
    CancelTaken,
    FreshFigures,
    NoAnswer,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
)
from core.model.codes import BlockCode
from core.model.connection import ConnectionStatus
from core.model.corporate_action import CorporateAction
from core.model.instrument import BrokerInstrument
from core.model.notice import Delivery
from core.model.past_days import PastDays
from core.model.quote import Quote
from core.model.regime import Regime
from core.model.staging import Approval
from core.model.values import (
    ZERO,
    ClientOrderId,
    ProposalId,
    Symbol,
    TicketId,
)

if TYPE_CHECKING:
    pass
from core.messages.commands import Command

# ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BarArrived:
    """A bar as a source gives it; `place` says where it stood (file and line), for the message if it is refused.

    `whole` is None of a minute, which is known at its end.
    """

    bar: Bar
    place: str
    whole: WholeSession | None = None

    @property
    def heard_at(self) -> datetime:
        return self.bar.end if self.whole is None else self.whole.heard_at

    @property
    def lasts(self) -> timedelta | None:
        """How long its prices took; None of a minute."""
        return None if self.whole is None else self.whole.lasts


@dataclass(frozen=True, slots=True)
class QuoteArrived:
    quote: Quote


@dataclass(frozen=True, slots=True)
class MarketDataBroken:
    """A message that the source itself could not read."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class TradingHaltHeard:
    """The exchange halts a symbol, or lets it trade again; `at` is its time (UTC), `words` are its own (MD-06)."""

    symbol: Symbol
    is_halted: bool
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class RegimeArrived:
    """The VIX and the market's labels, measured anew; what could not be had is named in them (RK-19)."""

    regime: Regime


@dataclass(frozen=True, slots=True)
class PastArrived:
    """The days before today's of a symbol that is followed, as the broker's history has them (RK-08, RK-16)."""

    past: PastDays


@dataclass(frozen=True, slots=True)
class CorporateActionsArrived:
    """What is announced of these symbols, as the market's source has it; of each all that there is."""

    symbols: tuple[Symbol, ...]
    actions: tuple[CorporateAction, ...]


# ── the broker ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SubmissionAnswered:
    """`sent_at` is when the gateway let the request pass; data, None where nobody measured it (EX-16). `approval` may
    send it again, where the broker said that it takes no requests for now.
    """

    client_order_id: ClientOrderId
    answer: Accepted | Refused | NoAnswer
    sent_at: datetime | None = None
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class SubmissionBegan:
    """The gateway let the order out of our own queue: from now on the broker may have it (EX-22)."""

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class SubmissionStopped:
    """The gateway did not let the order out; the broker was never called.

    `approval` is what had let it go; data, None where nobody said it.
    """

    client_order_id: ClientOrderId
    reason: str
    approval: Approval | None = None
    code: BlockCode = BlockCode.OTHER


@dataclass(frozen=True, slots=True)
class SubmissionKept:
    """The desk leaves, and this order never left its queue: the next start sends it, or asks for it (EX-22)."""

    client_order_id: ClientOrderId
    approval: Approval


@dataclass(frozen=True, slots=True)
class CancelAnswered:
    client_order_id: ClientOrderId
    answer: Accepted | CancelTaken | Refused | NotFound | NoAnswer


@dataclass(frozen=True, slots=True)
class LookUpAnswered:
    client_order_id: ClientOrderId
    answer: OrderReport | NotFound | NoAnswer


@dataclass(frozen=True, slots=True)
class FiguresFetched:
    """The answer to `FetchFigures`; `ticket_id` is None where the ticket is only to be opened."""

    proposal_id: ProposalId
    ticket_id: TicketId | None
    answer: FreshFigures | NoAnswer
    is_quote_alone: bool = False


@dataclass(frozen=True, slots=True)
class HistoryFetched:
    """The bars that were asked for, in order of time; those that could not be read are left out."""

    symbols: tuple[Symbol, ...]
    start: datetime
    end: datetime
    answer: tuple[Bar, ...] | NoAnswer


@dataclass(frozen=True, slots=True)
class SymbolsLookedUp:
    """What the broker lists them as, each that it answered for; and their bars, in order of time."""

    symbols: tuple[Symbol, ...]
    instruments: tuple[BrokerInstrument, ...]
    answer: tuple[Bar, ...] | NoAnswer


@dataclass(frozen=True, slots=True)
class WatchlistWritten:
    """What came of writing a list: `fault` is why its file could not be, `is_filed` whether there are files here."""

    name: str
    symbols: tuple[Symbol, ...]
    fault: str = ""
    is_filed: bool = False


@dataclass(frozen=True, slots=True)
class AccountFetched:
    answer: Account | NoAnswer


@dataclass(frozen=True, slots=True)
class ClockFetched:
    """The broker's clock, and how the desk's stood to it (EX-23), seconds.

    Attributes
    ----------
    ahead
        Of this machine's clock against the broker's, below zero where it is behind.
    is_near
        Whether the two agree.
    step
        By which the desk's time went forward with it.
    """

    answer: datetime | NoAnswer
    ahead: Decimal = ZERO
    is_near: bool = True
    step: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PictureFetched:
    """The broker's books, for a reconciliation."""

    answer: BrokerPicture | NoAnswer


@dataclass(frozen=True, slots=True)
class ActivitiesFetched:
    """What happened to the account, as the broker lists it."""

    answer: DropCopy | NoAnswer


@dataclass(frozen=True, slots=True)
class AcceptBroker:
    """The operator takes the broker's word for every position that differs, whatever the limits say (EX-09)."""

    picture: BrokerPicture


@dataclass(frozen=True, slots=True)
class BrokerUpdated:
    """A message of the broker's order stream."""

    update: OrderUpdate


@dataclass(frozen=True, slots=True)
class CallsCounted:
    """Requests since the start, by endpoint; a sighting (EX-17).

    `beyond` are those that the adapter sent beyond what its tasks take: repeats, further pages, second looks (RK-24).
    """

    calls: tuple[tuple[str, int], ...]
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """A connection came, went, or fell silent."""

    lamp: ConnectionStatus


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


# ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────────────


# ── advisers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FromAdviser:
    """What came back of one consultation, whatever it is: the engine takes words out of it, and nothing else (OP-09).

    Attributes
    ----------
    answer
        A tuple of advice, or a fault.
    attempts
        What it reached for beside speaking; each was refused.
    """

    adviser: str
    answer: object
    attempts: tuple[str, ...] = ()


# ── notifications ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NotificationAnswered:
    """What became of one try to tell somebody; nothing of what a receiver says is in it (SY-03)."""

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    tries: int
    delivery: Delivery


# ── the runtime ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Start:
    """Take up the journal: look up what is half done, compare with the broker, then trade."""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The time that the engine asked to be called at."""


@dataclass(frozen=True, slots=True)
class ClockRead:
    """This machine's clock jumped by so many seconds, or the desk's time runs ahead by so many (EX-23).

    Told when it does, and again from time to time while it runs ahead. Both are zero where the broker's clock could not
    be asked at the start.
    """

    jumped: Decimal
    behind: Decimal


@dataclass(frozen=True, slots=True)
class Leaving:
    """The desk leaves: a turned key waits for no figures any more (EX-22)."""


@dataclass(frozen=True, slots=True)
class Stop:
    reason: str


class Priority(Enum):
    """Order of inputs that carry the same time: what the world did comes before what a person did after it."""

    KILL = 0
    BROKER = 1
    MARKET = 2
    DEADLINE = 3
    OPERATOR = 4


Input = (
    BarArrived
    | QuoteArrived
    | MarketDataBroken
    | TradingHaltHeard
    | RegimeArrived
    | PastArrived
    | CorporateActionsArrived
    | SubmissionAnswered
    | SubmissionBegan
    | SubmissionStopped
    | SubmissionKept
    | CancelAnswered
    | LookUpAnswered
    | FiguresFetched
    | AccountFetched
    | ClockFetched
    | HistoryFetched
    | SymbolsLookedUp
    | WatchlistWritten
    | PictureFetched
    | ActivitiesFetched
    | AcceptBroker
    | BrokerUpdated
    | ConnectionChanged
    | CallsCounted
    | Command
    | FromAdviser
    | NotificationAnswered
    | Start
    | ClockRead
    | DeadlineReached
    | Leaving
    | Stop
)
