"""All inputs of the engine. Each is stamped `at` as it enters; a time inside it is data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum

from core.messages.commands import Command
from core.model.account import Account, ConnectionStatus
from core.model.bar import Bar, Quote, WholeSession
from core.model.broker import (
    Accepted,
    BrokerBooks,
    CancelTaken,
    FreshFigures,
    MarketHours,
    NoAnswer,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
    UnreadUpdate,
)
from core.model.codes import BlockCode
from core.model.delivery import Delivery
from core.model.draft import DraftRequest
from core.model.instrument import BrokerInstrument
from core.model.lazy_dataclass import dataclass
from core.model.news import NewsFound
from core.model.reconciliation import DropCopy
from core.model.reference_data import CorporateAction, PastDays
from core.model.report_sheet import ReportSheet
from core.model.session import Session
from core.model.sizing import Regime
from core.model.staging import Approval
from core.model.values import ZERO, ClientOrderId, ProposalId, Symbol, TicketId

# ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BarArrived:
    """A bar from a source; `place` is its file and line, for the message if it is refused.

    `whole` is None for a minute, which is known at its end.
    """

    bar: Bar
    place: str
    whole: WholeSession | None = None

    @property
    def heard_at(self) -> datetime:
        return self.bar.end if self.whole is None else self.whole.heard_at

    @property
    def lasts(self) -> timedelta | None:
        """The time that its prices took; None for a minute."""
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
    """The exchange halts a symbol, or resumes it; `at` is its time (UTC), `words` its own text (MD-06)."""

    symbol: Symbol
    is_halted: bool
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class RegimeArrived:
    """A new measurement of the VIX and the market's labels; missing parts carry their reason (RK-19)."""

    regime: Regime


@dataclass(frozen=True, slots=True)
class PastArrived:
    """The days before today of a followed symbol, from the broker's history (RK-08, RK-16)."""

    past: PastDays


@dataclass(frozen=True, slots=True)
class CorporateActionsArrived:
    """The announced corporate actions of these symbols, complete for each unless a row could not be read."""

    symbols: tuple[Symbol, ...]
    actions: tuple[CorporateAction, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class NewsArrived:
    """Headlines of followed symbols, or why there are none; shown only, and recorded only where an alert rings."""

    found: NewsFound | str


# ── the broker ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SubmissionAnswered:
    """The broker's answer to a submission.

    `sent_at` is when the gateway passed the request; data, None if not measured (EX-16). `approval` may send it again,
    if the broker accepted no requests at the time.
    """

    client_order_id: ClientOrderId
    answer: Accepted | Refused | NoAnswer
    sent_at: datetime | None = None
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class SubmissionBegan:
    """The gateway took the order out of our own queue: from now on the broker may have it (EX-22)."""

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class SubmissionStopped:
    """The gateway blocked the order; the broker was never called.

    `approval` is its approval; data, None if not given.
    """

    client_order_id: ClientOrderId
    reason: str
    approval: Approval | None = None
    code: BlockCode = BlockCode.OTHER


@dataclass(frozen=True, slots=True)
class SubmissionKept:
    """The desk stops, and this order never left its queue: the next start sends it, or stages it (EX-22)."""

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
    """The answer to `FetchFigures`; `ticket_id` is None if the ticket is only to be opened."""

    proposal_id: ProposalId
    ticket_id: TicketId | None
    answer: FreshFigures | NoAnswer
    is_quote_alone: bool = False


@dataclass(frozen=True, slots=True)
class HistoryFetched:
    """The requested bars, in order of time; unreadable ones are left out."""

    symbols: tuple[Symbol, ...]
    start: datetime
    end: datetime
    answer: tuple[Bar, ...] | NoAnswer


@dataclass(frozen=True, slots=True)
class SymbolsLookedUp:
    """The broker's instruments, each that it answered for; and their bars, in order of time."""

    symbols: tuple[Symbol, ...]
    instruments: tuple[BrokerInstrument, ...]
    answer: tuple[Bar, ...] | NoAnswer


@dataclass(frozen=True, slots=True)
class WatchlistWritten:
    """The result of writing a list: `fault` is why it failed, `is_filed` whether lists are kept in files here."""

    name: str
    symbols: tuple[Symbol, ...]
    fault: str = ""
    is_filed: bool = False


@dataclass(frozen=True, slots=True)
class AccountFetched:
    answer: Account | NoAnswer


@dataclass(frozen=True, slots=True)
class ClockFetched:
    """The broker's clock, and the desk's difference to it (EX-23), seconds.

    Attributes
    ----------
    ahead
        Of this machine's clock against the broker's, below zero if it is behind.
    is_near
        Whether the two agree.
    step
        By which the desk's time went forward with it.
    hours
        What it says of the market; None if nothing.
    """

    answer: datetime | NoAnswer
    ahead: Decimal = ZERO
    is_near: bool = True
    step: Decimal = ZERO
    hours: MarketHours | None = None


@dataclass(frozen=True, slots=True)
class SessionsFetched:
    """The broker's sessions, the days in order; a day alone is one whose times could not be read."""

    answer: tuple[Session | date, ...] | NoAnswer


@dataclass(frozen=True, slots=True)
class BooksFetched:
    """The broker's books, for a reconciliation."""

    answer: BrokerBooks | NoAnswer


@dataclass(frozen=True, slots=True)
class ActivitiesFetched:
    """The account's activities, as the broker lists them."""

    answer: DropCopy | NoAnswer


@dataclass(frozen=True, slots=True)
class AcceptBroker:
    """The operator accepts the broker's books for every position that differs, whatever the limits (EX-09)."""

    books: BrokerBooks


@dataclass(frozen=True, slots=True)
class BrokerUpdated:
    """A message of the broker's order stream."""

    update: OrderUpdate


@dataclass(frozen=True, slots=True)
class BrokerUpdateUnread:
    """A message of the broker's order stream that cannot be read; it may tell of a fill (EX-05)."""

    update: UnreadUpdate


@dataclass(frozen=True, slots=True)
class CallsCounted:
    """Requests since the start, by endpoint; an observation (EX-17).

    `beyond` are extra requests of the adapter: retries, further pages, second look-ups (RK-24).
    """

    calls: tuple[tuple[str, int], ...]
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """A connection came, went, or fell silent."""

    connection: ConnectionStatus


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


# ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────────────


# ── agents ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DraftSubmitted:
    """An agent drafts an order; `call` identifies the request, for the answer (OP-09)."""

    agent: str
    request: DraftRequest
    call: int


@dataclass(frozen=True, slots=True)
class DraftWithdrawn:
    """An agent takes one of its drafts back."""

    agent: str
    key: str
    call: int


@dataclass(frozen=True, slots=True)
class AgentRefused:
    """An agent sent something that the protocol of drafts does not have; `attempt` says what, harmless and short.

    `is_overstep` says that it asked for more than reading and drafting.
    """

    agent: str
    attempt: str
    is_overstep: bool


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """A text of an agent: one harmless line for the list of texts, or its summary of a day. Nothing follows from it
    (OP-09, AN-06).
    """

    agent: str
    text: str
    day: date | None = None


FromAgent = DraftSubmitted | DraftWithdrawn | AgentRefused | AgentSaid
"""All that an agent can put into the inbox."""


# ── notifications ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NotificationAnswered:
    """The result of one attempt to send a notice; nothing of a receiver's text is in it (SY-03)."""

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    tries: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class ReportAnswered:
    """The report of a day, and of its week if asked for, or why there is none (SY-03, AN-06).

    Attributes
    ----------
    sheets
        The day's first; `fault` says why one is missing.
    agent, agent_fault
        The agent that was started to summarise it, and why the sheets have no words of it.
    """

    day: date
    sheets: tuple[ReportSheet, ...]
    fault: str = ""
    agent: str = ""
    agent_fault: str = ""


FromNotifier = NotificationAnswered | ReportAnswered
"""All that whoever carries messages can put into the inbox."""


# ── the runtime ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Start:
    """Start on the journal: look up unfinished orders, compare with the broker, then trade."""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The time at which the engine asked to be called."""


@dataclass(frozen=True, slots=True)
class ClockRead:
    """This machine's clock jumped by so many seconds, or the desk's time is ahead by so many (EX-23).

    Sent when it does, and repeatedly while it is ahead. Both are zero if the broker's clock could not be read at the
    start.
    """

    jumped: Decimal
    behind: Decimal


@dataclass(frozen=True, slots=True)
class Leaving:
    """The desk stops: a confirmation no longer waits for its figures (EX-22)."""


@dataclass(frozen=True, slots=True)
class Stop:
    reason: str


class Priority(Enum):
    """Order of inputs with the same time: events of the world come before the operator's actions."""

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
    | NewsArrived
    | SubmissionAnswered
    | SubmissionBegan
    | SubmissionStopped
    | SubmissionKept
    | CancelAnswered
    | LookUpAnswered
    | FiguresFetched
    | AccountFetched
    | ClockFetched
    | SessionsFetched
    | HistoryFetched
    | SymbolsLookedUp
    | WatchlistWritten
    | BooksFetched
    | ActivitiesFetched
    | AcceptBroker
    | BrokerUpdated
    | BrokerUpdateUnread
    | ConnectionChanged
    | CallsCounted
    | Command
    | DraftSubmitted
    | DraftWithdrawn
    | AgentRefused
    | AgentSaid
    | NotificationAnswered
    | ReportAnswered
    | Start
    | ClockRead
    | DeadlineReached
    | Leaving
    | Stop
)
