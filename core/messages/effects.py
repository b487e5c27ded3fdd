"""Everything that the engine can ask of the world. An effect leaves only when every fact before it is on the disk.

Its outcome comes back as an input, also when it timed out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.model.order import OrderRequest
from core.model.staging import Approval
from core.model.values import BrokerOrderId, ClientOrderId, ProposalId, Symbol, TicketId


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Send this very order. There is no submission without an approval. Answered by `SubmissionAnswered`.

    `is_absent`: it was sent before, and it is proven that the broker has not got it (EX-06, EX-22).
    """

    order: OrderRequest
    approval: Approval
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Put this very order in the place of the one that it names. Answered by `SubmissionAnswered` of the new order.

    `broker_order_id` is that of the order which makes way; its end comes as a `BrokerUpdated`.
    """

    order: OrderRequest
    approval: Approval
    broker_order_id: BrokerOrderId | None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Answered by `CancelAnswered`; that the order is gone comes as a `BrokerUpdated`."""

    client_order_id: ClientOrderId
    broker_order_id: BrokerOrderId | None


@dataclass(frozen=True, slots=True)
class WithdrawOrder:
    """Keep an order here that still waits in our own queue. Answered by `SubmissionStopped`; by nothing where it has
    left meanwhile.
    """

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class LookUpOrder:
    """Ask the broker by our own id. Answered by `LookUpAnswered`.

    `with_legs`: it was sent with legs, and what the broker says of them is asked of the order itself.
    """

    client_order_id: ClientOrderId
    with_legs: bool = False


@dataclass(frozen=True, slots=True)
class FetchFigures:
    """Clock, account, quote and instrument, fetched fresh (OP-03). Answered by `FiguresFetched`.

    `ticket_id` is None where the ticket is only to be opened. `is_quote_alone`: clock and account are asked for beside
    it, once for several symbols.
    """

    proposal_id: ProposalId
    ticket_id: TicketId | None
    symbol: Symbol
    is_quote_alone: bool = False


@dataclass(frozen=True, slots=True)
class FetchAccount:
    """The account's figures. Answered by `AccountFetched`."""


@dataclass(frozen=True, slots=True)
class FetchClock:
    """The broker's clock (EX-23). Answered by `ClockFetched`."""


@dataclass(frozen=True, slots=True)
class FetchPicture:
    """The broker's books (EX-09), with what it says of these instruments. Answered by `PictureFetched`."""

    instruments: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchActivities:
    """The broker's activities from a day on, with the account (EX-09, AN-06). Answered by `ActivitiesFetched`."""

    since: date


@dataclass(frozen=True, slots=True)
class FetchHistory:
    """One-minute bars from `start` to before `end`, UTC, for strategies to warm up on. Answered by `HistoryFetched`."""

    symbols: tuple[Symbol, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class LookUpSymbols:
    """What the broker lists them as, and their one-minute bars from `start` to before `end`, UTC: to be shown, and for
    nothing else (MD-06). Answered by `SymbolsLookedUp`.
    """

    symbols: tuple[Symbol, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class WriteWatchlist:
    """Put a list into its file, or remove that where it has no symbols (MD-06). Answered by `WatchlistWritten`, at
    once.

    `new` are those that no list had: one that the broker's list does not have refuses it.
    """

    name: str
    symbols: tuple[Symbol, ...]
    new: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class LatchKill:
    """Write the kill-switch file, so that a restart finds it even where the journal is lost."""

    by: str


@dataclass(frozen=True, slots=True)
class ReleaseKill:
    """Remove the kill-switch file."""


@dataclass(frozen=True, slots=True)
class SendNotification:
    """Tell a person, over a channel that the settings name. Answered by `NotificationAnswered` (SY-03).

    `title` and `text` are all that is told: nothing in them acts.
    """

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    tries: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class EndEngine:
    """Finish what is owed and end the process; `reason` is recorded with its stop."""

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
    | FetchPicture
    | FetchActivities
    | FetchHistory
    | LookUpSymbols
    | WriteWatchlist
    | LatchKill
    | ReleaseKill
    | SendNotification
    | EndEngine
)
