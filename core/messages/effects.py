"""Effects: all requests of the engine. An effect is sent only when every fact before it is on disk.

Its outcome comes back as an input, also after a time-out.
"""

from __future__ import annotations

from datetime import date, datetime

from core.model.draft import DraftAnswer
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.staging import Approval
from core.model.values import BrokerOrderId, ClientOrderId, ProposalId, Symbol, TicketId


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Send exactly this order. There is no submission without an approval. Answered by `SubmissionAnswered`.

    `is_absent`: it was sent before, and it is proven that the broker does not have it (EX-06, EX-22).
    """

    order: OrderRequest
    approval: Approval
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Replace an order with exactly this one. Answered by `SubmissionAnswered` of the new order.

    `broker_order_id` is that of the replaced order; its end comes as a `BrokerUpdated`.
    """

    order: OrderRequest
    approval: Approval
    broker_order_id: BrokerOrderId | None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel an order. Answered by `CancelAnswered`; the order's end comes as a `BrokerUpdated`."""

    client_order_id: ClientOrderId
    broker_order_id: BrokerOrderId | None


@dataclass(frozen=True, slots=True)
class WithdrawOrder:
    """Stop an order that still waits in our own queue.

    Answered by `SubmissionStopped`; no answer if it was sent meanwhile.
    """

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class LookUpOrder:
    """Look up an order by our own id. Answered by `LookUpAnswered`.

    `with_legs`: it was sent with legs, and the look-up asks for them too.
    """

    client_order_id: ClientOrderId
    with_legs: bool = False


@dataclass(frozen=True, slots=True)
class FetchFigures:
    """Fetch clock, account, quote and instrument, not from a cache (OP-03). Answered by `FiguresFetched`.

    `ticket_id` is None if the ticket is only to be opened. `is_quote_alone`: clock and account are fetched separately,
    once for several symbols.
    """

    proposal_id: ProposalId
    ticket_id: TicketId | None
    symbol: Symbol
    is_quote_alone: bool = False


@dataclass(frozen=True, slots=True)
class FetchAccount:
    """Fetch the account's figures. Answered by `AccountFetched`."""


@dataclass(frozen=True, slots=True)
class FetchClock:
    """Read the broker's clock (EX-23). Answered by `ClockFetched`."""


@dataclass(frozen=True, slots=True)
class FetchSessions:
    """Fetch the broker's sessions of these days, both included (MD-10). Answered by `SessionsFetched`."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class FetchBooks:
    """Fetch the broker's books (EX-09), with its data of these instruments. Answered by `BooksFetched`."""

    instruments: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchActivities:
    """Fetch the broker's activities from a day on, with the account (EX-09, AN-06). Answered by `ActivitiesFetched`."""

    since: date


@dataclass(frozen=True, slots=True)
class FetchHistory:
    """Fetch one-minute bars from `start` to before `end`, UTC, to warm up strategies. Answered by `HistoryFetched`."""

    symbols: tuple[Symbol, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class LookUpSymbols:
    """Fetch the broker's instruments and one-minute bars from `start` to before `end`, UTC, for display alone (MD-06).

    Answered by `SymbolsLookedUp`.
    """

    symbols: tuple[Symbol, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class WriteWatchlist:
    """Write a watchlist's file, or remove it if it has no symbols (MD-06). Answered at once by `WatchlistWritten`.

    `new` are symbols that were on no list: one that the broker does not list refuses the change.
    """

    name: str
    symbols: tuple[Symbol, ...]
    new: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class LatchKill:
    """Write the kill-switch file, so that a restart finds it even if the journal is lost."""

    by: str


@dataclass(frozen=True, slots=True)
class ReleaseKill:
    """Remove the kill-switch file."""


@dataclass(frozen=True, slots=True)
class SendNotification:
    """Send a notice over a configured channel. Answered by `NotificationAnswered` (SY-03).

    `title` and `text` are the whole content, without links or actions; `html` is the same as a page for channels that
    take one, and may be empty.
    """

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    tries: int
    title: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class MakeReport:
    """Make the report of a day from the journal, and with `is_week` that of its week. Answered by `ReportAnswered`."""

    day: date
    is_week: bool


@dataclass(frozen=True, slots=True)
class AnswerAgent:
    """Tell an agent what became of its request; after the facts about it are synced."""

    agent: str
    call: int
    answer: DraftAnswer


@dataclass(frozen=True, slots=True)
class EndEngine:
    """Finish due work and end the process; `reason` is recorded with its stop."""

    reason: str


Effect = (
    SubmitOrder
    | ReplaceOrder
    | CancelOrder
    | WithdrawOrder
    | LookUpOrder
    | FetchFigures
    | FetchAccount
    | FetchClock
    | FetchSessions
    | FetchBooks
    | FetchActivities
    | FetchHistory
    | LookUpSymbols
    | WriteWatchlist
    | LatchKill
    | ReleaseKill
    | SendNotification
    | MakeReport
    | AnswerAgent
    | EndEngine
)
