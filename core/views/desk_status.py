"""State of the whole desk: the status lines, the kill screen, the order link, a reload of limits."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from core.model.account import ConnectionStatus, LatencySpan, Mode
from core.model.codes import OF_A_PERSON, DeskState, HaltCause, ProposalEnd
from core.model.desk import DeskNumber, Seat
from core.model.entry_blocks import EntryBlock
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import Difference
from core.model.touch import Nonce, TouchCode, TouchKey
from core.model.values import AccountId, Fraction, Money, ProposalId, Symbol
from core.views.rows import OrderRow, OtherOrderRow, PositionRow


@dataclass(frozen=True, slots=True)
class HaltRow:
    """A halt's cause, and its reason as text."""

    cause: HaltCause
    reason: str

    @property
    def is_of_key(self) -> bool:
        """Whether the operator made it, or it was made for absence: the operator's key ends it."""
        return self.cause in OF_A_PERSON

    @property
    def in_words(self) -> str:
        """Format `by you` for the kill key, else the reason with its cause unless that is a person's."""
        if (self.cause, self.reason) == (HaltCause.KEY, "by key"):
            return "by you"
        return self.reason if self.is_of_key else f"{self.cause.value}: {self.reason}"


def halted_by_you(refusal: str | None) -> str | None:
    """Return why nothing may be opened, in the words of the banner."""
    return "halted by you" if refusal == "halted (key): by key" else refusal


@dataclass(frozen=True, slots=True)
class DeskRow:
    """An attached desk, or one that control is kept for; `heard_at` is the time of its last input."""

    number: DeskNumber
    seat: Seat
    since: datetime
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyView:
    """Which desk has control (OP-13).

    Attributes
    ----------
    hold
        The number of the last hand-over: a confirmation names it.
    holder, since
        None if no desk has control.
    away_until
        How long control is kept for a desk with a lost link, or for `kept_for`; else None.
    kept_for
        The desk in control as the last engine ended, while control is kept for that terminal.
    takes_word
        Whether taking control needs the typed word: its holder was just active, or it is kept.
    desks
        The attached desks, by number.
    """

    hold: int = 0
    holder: DeskRow | None = None
    since: datetime | None = None
    away_until: datetime | None = None
    kept_for: Seat | None = None
    takes_word: bool = False
    desks: tuple[DeskRow, ...] = ()

    def is_held_by(self, desk: DeskNumber | None) -> bool:
        """Whether that desk is attached and has control. None means a caller inside the engine's process."""
        if desk is None:
            return True
        return self.holder is not None and self.holder.number == desk and self.away_until is None


NO_KEY = KeyView()


@dataclass(frozen=True, slots=True)
class AwayRow:
    """One event during an absence; `kind` is a word."""

    at: datetime
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class AwayView:
    """The last time that no desk was attached (RK-27).

    Attributes
    ----------
    until
        When a desk attached again; None during the absence.
    rows
        The events, oldest first; limited in number.
    counts
        All events, by the word of their kind, in the order of the kinds.
    """

    since: datetime
    until: datetime | None
    rows: tuple[AwayRow, ...]
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StatusView:
    """The two status lines.

    Attributes
    ----------
    at
        The engine's time when the view was built.
    entries_refused
        Why nothing may be opened (killed, halted, read-only, breaker), or None if entries are on.
    refused_by_breaker
        Whether the breaker refuses them.
    market_closes_at, market_opens_at
        One of them is None.
    quote_at, feed
        The newest quote or closed bar of any symbol, and its source; `bars` for a bar.
    unsettled
        Proceeds of sales that a cash account may not spend yet.
    disk
        A fault or slowness of the journal's disk; None if all is well.
    connections
        The connections to broker and market; none on the simulated exchange.
    margin_distance
        Distance to maintenance, as a share of equity; None if no margin is in use.
    is_margin_near
        Whether it is under a distance that warns.
    at_risk, risk_budget, lost_at_stops
        The loss if every stop filled now and its limit, as shares of equity, and that loss in USD (RK-21); None while
        the equity is unknown.
    has_frictions
        Whether the simulated exchange has slippage, partial fills, rejections, halts or interest.
    entries_shut
        The guard that refuses every entry, and why: the closed market, the window, a protection of the whole desk;
        empty if there is none.
    blocks
        Everything that blocks entries, what blocks every one first.
    held_by_clock
        Symbols whose authorized exits wait for a key because the desk's clock is in doubt: the bell rings.
    key
        Which desk has control, and which desks watch.
    presses
        Halts and kills since the engine began: a new one disarms a command that would end the halt.
    acceptable
        In a read-only desk, the differences that a typed word accepts from the broker's books (EX-09); empty otherwise.
    """

    FIRST: ClassVar = ("account", "equity", "day_change", "buying_power", "margin_distance", "at_risk")

    at: datetime
    account: AccountId
    mode: Mode
    profile: str
    word: DeskState
    entries_refused: str | None
    exits_refused: str | None
    killed_by: str | None
    killed_at: datetime | None
    kill_reason: str
    halted_at: datetime | None
    halts: tuple[HaltRow, ...]
    market_closes_at: datetime | None
    market_opens_at: datetime | None
    quote_at: datetime | None
    feed: str | None
    equity: Money | None
    equity_at: datetime | None
    day_change: Money | None
    day_fraction: Decimal | None
    buying_power: Money | None
    unsettled: Money | None
    daily_loss_limit: Money | None
    disk: str | None
    notes: tuple[str, ...]
    connections: tuple[ConnectionStatus, ...] = ()
    margin_distance: Fraction | None = None
    is_margin_near: bool = False
    at_risk: Fraction | None = None
    lost_at_stops: Money | None = None
    risk_budget: Fraction | None = None
    entries_shut: str = ""
    has_frictions: bool = False
    held_by_clock: tuple[Symbol, ...] = ()
    refused_by_breaker: bool = False
    key: KeyView = NO_KEY
    presses: int = 0
    acceptable: tuple[Difference, ...] = ()
    blocks: tuple[EntryBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposalOutcome:
    """The end of a proposal."""

    proposal_id: ProposalId
    end: ProposalEnd
    reason: str


@dataclass(frozen=True, slots=True)
class KillView:
    """The kill screen and its banner.

    `entries_working` are the orders that open or add if they fill now, including exits with nothing left to close.
    `too_large` are exits that close something and ask for more than is held.
    """

    entries_working: tuple[OrderRow, ...]
    stops_working: tuple[OrderRow, ...]
    uncovered: tuple[PositionRow, ...]
    others: tuple[OtherOrderRow, ...] = ()
    """External orders that could open: a kill cancels them too."""
    unread: tuple[OtherOrderRow, ...] = ()
    """Unreadable external orders that may open: a kill names them, and NAKED cancels them."""
    too_large: tuple[OrderRow, ...] = ()
    asked: int = 0
    """Orders of which the kill requested a cancel, ours and others, in this run."""
    gone: int = 0
    """Those of them that work no more."""

    @property
    def cancelled_by_kill(self) -> int:
        """How many orders a kill cancels."""
        return len((*self.entries_working, *self.too_large, *self.others))


BREAKER_OK = "OK"
"""The breaker's word while entries pass it."""


@dataclass(frozen=True, slots=True)
class WireView:
    """The link of orders to the broker and back.

    Attributes
    ----------
    spans
        Latencies of today's confirmed orders, and from a fill to its stop (EX-16).
    sent, invalid, rejected
        Orders of today: recorded to be sent, refused here by a rule of the broker, refused by the broker (EX-11).
    calls
        Requests since the start, by endpoint (EX-17); empty if they are not counted.
    breaker, breaker_reason
        Its phase, and why no entry passes it; None if they do (EX-15).
    """

    spans: tuple[LatencySpan, ...] = ()
    sent: int = 0
    invalid: int = 0
    rejected: int = 0
    calls: tuple[tuple[str, int], ...] = ()
    breaker: str = BREAKER_OK
    breaker_reason: str | None = None


NO_WIRE = WireView()


@dataclass(frozen=True, slots=True)
class ReloadView:
    """Differences between the settings file and the settings in force (RK-13).

    Attributes
    ----------
    fault
        Why the file is invalid; empty if it is valid.
    digest
        Of the file as these differences show it; empty if it was not read.
    needs_touch
        Whether the looser values need the touch of a security key (OP-15).
    """

    tighter: tuple[str, ...] = ()
    looser: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    fault: str = ""
    digest: str = ""
    needs_touch: bool = False


NOTHING_TO_RELOAD = ReloadView()


@dataclass(frozen=True, slots=True)
class TouchView:
    """The enrolled security keys (OP-15).

    Attributes
    ----------
    nonce
        What the next touch signs beside its subject.
    answers, refused
        Enrolments, removals and refusals so far, and why the last one was refused; None after a change.
    """

    keys: tuple[TouchKey, ...] = ()
    nonce: Nonce = Nonce("")
    answers: int = 0
    refused: TouchCode | None = None


NO_TOUCH = TouchView()
