"""Where the whole desk stands: the status lines, the kill screen, the wire, limits that are reloaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.account import Mode
from core.model.codes import OF_A_PERSON, DeskState, HaltCause, ProposalEnd
from core.model.connection import ConnectionStatus, LatencySpan
from core.model.desk import DeskNumber, Seat
from core.model.values import AccountId, Fraction, Money, ProposalId, Symbol
from core.views.rows import OrderRow, OtherOrderRow, PositionRow


@dataclass(frozen=True, slots=True)
class HaltRow:
    """What halts, and why in words."""

    cause: HaltCause
    reason: str

    @property
    def is_of_key(self) -> bool:
        """The operator's own, or made for want of the operator's key: that key takes it back."""
        return self.cause in OF_A_PERSON

    @property
    def in_words(self) -> str:
        return f"{self.cause.value}: {self.reason}"


@dataclass(frozen=True, slots=True)
class DeskRow:
    """A desk that is attached, or for which the key is kept; `heard_at` is when it said anything last."""

    number: DeskNumber
    seat: Seat
    since: datetime
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyView:
    """Which desk holds the key (OP-13).

    Attributes
    ----------
    hold
        The number of the last hand-over: a confirmation names it.
    holder, since
        None where nobody holds it.
    away_until
        How long it is kept for a holder whose link died, or for `kept_for`; None otherwise.
    kept_for
        Where it was held as the last engine ended, while it is kept for that terminal.
    takes_word
        Whether the word must be typed to take it: the holder was active just now, or the key is kept for it.
    desks
        Those that are attached, by their numbers.
    """

    hold: int = 0
    holder: DeskRow | None = None
    since: datetime | None = None
    away_until: datetime | None = None
    kept_for: Seat | None = None
    takes_word: bool = False
    desks: tuple[DeskRow, ...] = ()

    def is_held_by(self, desk: DeskNumber | None) -> bool:
        """Whether that desk holds it and is attached. What is no desk stands inside the engine's process."""
        if desk is None:
            return True
        return self.holder is not None and self.holder.number == desk and self.away_until is None


NO_KEY = KeyView()


@dataclass(frozen=True, slots=True)
class AwayRow:
    """One thing that happened while nobody was at a desk; `kind` is a word."""

    at: datetime
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class AwayView:
    """The last time that no desk was attached (RK-27).

    Attributes
    ----------
    until
        When a desk attached again; None while nobody is there.
    rows
        What happened, the oldest first; not all of it where there was a lot.
    counts
        All of it, by the word of its kind, in the order of the kinds.
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
        The engine's time when the picture was made.
    entries_refused
        Why nothing may be opened (killed, halted, read-only, breaker), or None where entries are on.
    refused_by_breaker
        It is the breaker that refuses them.
    market_closes_at, market_opens_at
        One of them is None.
    quote_at, feed
        The newest quote or closed bar of any symbol, and who told it; `bars` where it was a bar.
    unsettled
        Proceeds of sales that a cash account may not spend yet.
    disk
        What is wrong with the journal's disk, or that it is slow; None where all is well.
    lamps
        The connections to broker and market; none on the simulated exchange.
    margin_distance
        To maintenance, as a share of equity; None where no margin is in use.
    is_margin_near
        It is under a distance that warns.
    at_risk, risk_budget
        Shares of equity: what would be lost if every stop filled now, and how much may be (RK-21); None while no
        equity is known.
    entries_shut
        The guard that refuses every entry, whatever it is, and why: the closed market, the window, a protection of the
        whole desk; empty where none does.
    held_by_clock
        Whose signed exits wait for a key because the desk's clock is in doubt: it rings for them.
    key
        Which desk holds the key, and which watch.
    presses
        Halts and kills since the engine began: another one disarms what would end the halt.
    """

    at: datetime
    account: AccountId
    mode: Mode
    profile: str
    word: DeskState
    entries_refused: str | None
    exits_refused: str | None
    killed_by: str | None
    killed_at: datetime | None
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
    lamps: tuple[ConnectionStatus, ...] = ()
    margin_distance: Fraction | None = None
    is_margin_near: bool = False
    at_risk: Fraction | None = None
    risk_budget: Fraction | None = None
    entries_shut: str = ""
    held_by_clock: tuple[Symbol, ...] = ()
    refused_by_breaker: bool = False
    key: KeyView = NO_KEY
    presses: int = 0


@dataclass(frozen=True, slots=True)
class ProposalOutcome:
    """What became of a proposal that waits no more."""

    proposal_id: ProposalId
    end: ProposalEnd
    reason: str


@dataclass(frozen=True, slots=True)
class KillView:
    """What the kill screen and its banner say.

    `entries_working` is what opens or adds if it fills now, exits that nothing is left for among it. `too_large` closes
    something and asks for more than is held.
    """

    entries_working: tuple[OrderRow, ...]
    stops_working: tuple[OrderRow, ...]
    uncovered: tuple[PositionRow, ...]
    others: tuple[OtherOrderRow, ...] = ()
    """What is not this desk's and could open: a kill takes it back as well."""
    unread: tuple[OtherOrderRow, ...] = ()
    """What is not this desk's and may open, for it cannot be read: a kill names it, and NAKED takes it back."""
    too_large: tuple[OrderRow, ...] = ()


BREAKER_OK = "OK"
"""The breaker's word while entries pass it."""


@dataclass(frozen=True, slots=True)
class WireView:
    """The way of the orders to the broker and back.

    Attributes
    ----------
    spans
        Latencies of today's confirmed orders (EX-16).
    sent, invalid, rejected
        Orders of today: written to be sent, refused here by a rule of the broker's, refused by the broker (EX-11).
    calls
        Requests since the start, by endpoint (EX-17); empty where nobody counts them.
    breaker, breaker_reason
        Its phase, and why no entry passes it; None where they do (EX-15).
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
    """What the settings file says otherwise than the desk trades by (RK-13).

    Attributes
    ----------
    fault
        Why the file cannot stand; empty where it can.
    digest
        Of the file as these differences show it; empty where it was not read.
    """

    tighter: tuple[str, ...] = ()
    looser: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    fault: str = ""
    digest: str = ""


NOTHING_TO_RELOAD = ReloadView()
