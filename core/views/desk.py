"""The whole picture, and the rows of its panes; `core/views/rows.py` and `results.py` have the longer ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.alert import Alert
from core.model.desk import DeskNumber
from core.model.symbol_list import ListedSymbol
from core.model.values import AccountId, ClientOrderId, ProposalId, Symbol
from core.views.advice import NO_ADVICE, AdviceView
from core.views.basket import BasketView
from core.views.results import ChartView, DayRow, ResultRow, ShadowRow, TradeRow
from core.views.rows import ForeignRow, OrderRow, OtherOrderRow, PositionRow, ProposalRow
from core.views.standing import (
    NO_WIRE,
    NOTHING_TO_RELOAD,
    AwayView,
    KillView,
    ProposalOutcome,
    ReloadView,
    StatusView,
    WireView,
)
from core.views.ticket import NO_SIZING, SizingView, SymbolView, TicketView
from core.views.watch import NOTHING_WATCHED, ActionRow, WatchView


@dataclass(frozen=True, slots=True)
class LogRow:
    """One thing that happened; `sequence` is its number in the journal, `severity` begins its text.

    `refused` is what came of it that somebody may wait for; `desk` the one that it answers or tells of; `order` the one
    in whose life it is a step, where it is nothing to look at by itself; `symbol` what it is of.

    `level` is `INFO`, `WARN`, `ERROR`, `CRITICAL` or `ALERT`; `source` a strategy, `manual`, or a part of the desk or
    of the world; `story` the first identifier of what it is a step of: a proposal, its tickets, its order and legs.
    """

    sequence: int
    at: datetime
    kind: str
    text: str
    severity: str = ""
    refused: NotStaged | NotEdited | None = None
    desk: DeskNumber | None = None
    order: ClientOrderId | None = None
    symbol: Symbol | None = None
    level: str = "INFO"
    source: str = ""
    story: str = ""


@dataclass(frozen=True, slots=True)
class NotStaged:
    """What a row of the log says was not staged: whose, of what, by which checks, and why in words."""

    strategy: str
    symbol: Symbol
    checks: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class NotEdited:
    """The proposal that stayed as it was, and why in words."""

    proposal_id: ProposalId
    words: str


@dataclass(frozen=True, slots=True)
class OverrideView:
    """When the word was typed, and from when until when entries pass by it (RK-06)."""

    at: datetime
    begins: datetime
    until: datetime


class SuspensionView(StrEnum):
    """What a guard that shuts entries is called: only what is exceptional has tripped (DESK, rules for every pane)."""

    TRIPPED = "TRIPPED"
    FULL = "FULL"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class ProtectionRow:
    """One guard of entries: its measure against its limit (RK-09).

    Attributes
    ----------
    measure
        In words with its limit and unit: `0.00 of 2,000 USD`.
    used
        Measure over limit, 0 to 1; None where it is not a ratio.
    is_tripped
        Whether it shuts entries; `word` says what that is called: an allowance that is used up is FULL, a market or a
        window that is not open is CLOSED.
    reason
        Why it is tripped, or what it watches.
    since, until
        When it tripped, and when the state that it is in ends by itself; None where that is not known, or does not.
    override
        What overriding it would let pass, in words; empty where it cannot be overridden now.
    overridden
        The word that was typed for this trip; `since` is of the trip then. It passes entries where it is not tripped.
    """

    key: str
    name: str
    measure: str
    used: Decimal | None
    is_tripped: bool
    reason: str
    since: datetime | None
    until: datetime | None
    override: str = ""
    overridden: OverrideView | None = None
    word: SuspensionView = SuspensionView.TRIPPED

    @property
    def has_tripped(self) -> bool:
        """Whether it shuts entries for what is exceptional."""
        return self.is_tripped and self.word is SuspensionView.TRIPPED

    @property
    def is_full(self) -> bool:
        """Whether an allowance is used up."""
        return self.is_tripped and self.word is SuspensionView.FULL

    @property
    def passes_overridden(self) -> bool:
        """Whether entries pass a trip by a typed word alone."""
        return self.overridden is not None and not self.is_tripped


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """A strategy on a symbol: what it last answered, and in how many bars of the session.

    Attributes
    ----------
    is_paused
        The operator paused it: it opens nothing, and goes on watching its exits.
    reasons
        Each reason for not trading of this session with its bars, the most frequent first.
    figures
        What it measures, name and value in words: `VWAP 167.29`.
    trouble
        What is wrong with it: it is missing, it failed, it was paused for that; empty where nothing is.
    is_off
        Its table does not enable it: it opens nothing, and nothing of that is amiss.
    is_missing
        It does not load: nothing is proposed for it, and its position is watched by the desk alone.
    shut
        Why the desk itself keeps it from opening anything now, in words; empty where it does not (ST-10).
    may_be_resumed
        Whether something of that waits for the operator's word, in this market or in another.
    evaluation
        What the last night said of it, label and words; none before its first.
    proposed
        Why more of its allocation is proposed, and how much; empty where it is not.
    """

    key: str
    strategy: str
    symbol: Symbol
    last_answer: str
    times: int
    anomaly: str
    is_paused: bool
    reasons: tuple[tuple[str, int], ...]
    figures: tuple[tuple[str, str], ...]
    trouble: str = ""
    is_off: bool = False
    is_missing: bool = False
    shut: str = ""
    may_be_resumed: bool = False
    evaluation: tuple[tuple[str, str], ...] = ()
    proposed: str = ""


@dataclass(frozen=True, slots=True)
class DeskView:
    """Everything that is on the screen.

    Attributes
    ----------
    number
        Grows with every picture that differs from the one before.
    staged
        Proposals staged since the start: a higher number than last time rings the bell.
    endings
        The last proposals that ended, the newest last.
    refusals
        What was not staged, not confirmed or not sent, with every reason; the newest last.
    chart
        Of the symbol that the console watches; None where it watches none.
    failed_closes
        Closes that led to nothing since the start, each with its reason; the newest last.
    basket
        The basket that is open or runs, or the last one; None where there was none.
    away
        The last time that nobody was at a desk, or the one that lasts; None before the first.
    others, foreign
        Orders at the broker that are not this desk's, and what is held of kinds that it does not trade.
    alerts
        What the engine rings for, as they were kept.
    rung
        How many ever rang: a higher number than last time rings the bell.
    days
        What each day closed, the oldest first, today's last.
    actions
        Dividends, splits and the like that come, of what is followed, by symbol, the next one first.
    lists
        Symbols in which nothing opens, by symbol (RK-26).
    """

    number: int
    status: StatusView
    proposals: tuple[ProposalRow, ...]
    positions: tuple[PositionRow, ...]
    orders: tuple[OrderRow, ...]
    log: tuple[LogRow, ...]
    tickets: tuple[TicketView, ...]
    endings: tuple[ProposalOutcome, ...]
    refusals: tuple[LogRow, ...]
    kill: KillView
    symbols: tuple[SymbolView, ...]
    strategies: tuple[StrategyRow, ...]
    staged: int
    protections: tuple[ProtectionRow, ...]
    trades: tuple[TradeRow, ...]
    shadows: tuple[ShadowRow, ...]
    results: tuple[ResultRow, ...]
    chart: ChartView | None
    sizing: SizingView = NO_SIZING
    wire: WireView = NO_WIRE
    failed_closes: tuple[LogRow, ...] = ()
    reload: ReloadView = NOTHING_TO_RELOAD
    advice: AdviceView = NO_ADVICE
    plan: BasketView | None = None
    others: tuple[OtherOrderRow, ...] = ()
    foreign: tuple[ForeignRow, ...] = ()
    away: AwayView | None = None
    watch: WatchView = NOTHING_WATCHED
    alerts: tuple[Alert, ...] = ()
    rung: int = 0
    days: tuple[DayRow, ...] = ()
    actions: tuple[ActionRow, ...] = ()
    lists: tuple[ListedSymbol, ...] = ()

    @property
    def account(self) -> AccountId:
        """Whose desk it is a picture of."""
        return self.status.account
