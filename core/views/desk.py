"""The complete desk view, what stands in its place without an engine, and the pace of the views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from core.model.alert import Alert
from core.model.desk import DeskNumber
from core.model.instrument import ListedSymbol
from core.model.lazy_dataclass import dataclass
from core.model.news import NO_NEWS, NewsView, NextEarnings
from core.model.recommendation import Recommendation
from core.model.values import AccountId, ClientOrderId, ProposalId, Symbol
from core.views.desk_status import (
    NO_TOUCH,
    NO_WIRE,
    NOTHING_TO_RELOAD,
    AwayView,
    KillView,
    ProposalOutcome,
    ReloadView,
    StatusView,
    TouchView,
    WireView,
)
from core.views.drafts import DraftRow
from core.views.results import (
    NO_MEASURES,
    ChartView,
    DayRow,
    GroupRow,
    MeasuresView,
    ResultRow,
    ShadowRow,
    TradeRow,
)
from core.views.rows import (
    NOTHING_WATCHED,
    ActionRow,
    ForeignRow,
    OrderRow,
    OtherOrderRow,
    PositionRow,
    ProposalRow,
    WatchView,
)
from core.views.tickets import NO_SIZING, BasketView, SizingView, SymbolView, TicketView


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """A text of an agent, or an adopted draft that waits for its strategy.

    Attributes
    ----------
    at
        None for an adopted draft.
    adopted
        The recommendation of an adopted draft; None for a text.
    """

    key: str
    agent: str
    at: datetime | None
    text: str
    expires_at: datetime
    adopted: Recommendation | None = None


@dataclass(frozen=True, slots=True)
class AdviceView:
    """Adopted drafts that wait for their strategies, then the texts of agents, newest first.

    Attributes
    ----------
    agents
        The agents that may connect.
    """

    rows: tuple[AdviceRow, ...] = ()
    agents: tuple[str, ...] = ()


NO_ADVICE = AdviceView()


@dataclass(frozen=True, slots=True)
class LogRow:
    """One logged event; `sequence` is its number in the journal, `severity` begins its text.

    `refused` is the refusal that a caller may wait for; `desk` the desk that it answers or concerns; `order` the order
    of which it is a step, if it is not worth a look by itself; `symbol` its symbol.

    `level` is `INFO`, `WARN`, `ERROR`, `CRITICAL` or `ALERT`; `source` a strategy, `manual`, or a part of the desk or
    of the world; `story` the first identifier of its story: a proposal, its tickets, its order and legs.

    `is_own`: it refuses what the operator typed, and nothing that a strategy or an exit rule proposed.
    """

    FIRST: ClassVar = ("at", "level", "source", "text")

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
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class NotStaged:
    """A skipped proposal: its strategy, symbol, the refusing checks, and the reason as text."""

    strategy: str
    symbol: Symbol
    checks: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class NotEdited:
    """The unchanged proposal, and the reason as text."""

    proposal_id: ProposalId
    words: str


@dataclass(frozen=True, slots=True)
class OverrideView:
    """When the word was typed, and the time from which and until which entries pass (RK-06)."""

    at: datetime
    begins: datetime
    until: datetime


class SuspensionView(StrEnum):
    """The word for a guard that shuts entries: only an exceptional state has tripped (DESK, rules for every pane)."""

    TRIPPED = "TRIPPED"
    FULL = "FULL"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class ProtectionRow:
    """One guard of entries: its measure against its limit (RK-09).

    Attributes
    ----------
    measure
        As text with its limit and unit: `0.00 of 2,000 USD`.
    used
        Measure over limit, 0 to 1; None if it is not a ratio.
    is_tripped
        Whether it shuts entries; `word` tells how: a used-up allowance is FULL, a closed market or window is CLOSED.
    reason
        Why it is tripped, or what it watches.
    since, until
        When it tripped, and when its state ends without an action; None if unknown or never.
    override
        The effect of an override, as text; empty if it cannot be overridden now.
    overridden
        The override of this trip; `since` is that of the trip then. Entries pass if it is not tripped.
    """

    FIRST: ClassVar = ("name", "measure", "is_tripped", "until", "reason")

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
        """Whether it shuts entries for an exceptional state."""
        return self.is_tripped and self.word is SuspensionView.TRIPPED

    @property
    def is_full(self) -> bool:
        """Whether an allowance is used up."""
        return self.is_tripped and self.word is SuspensionView.FULL

    @property
    def passes_overridden(self) -> bool:
        """Whether entries pass a trip only because of an override."""
        return self.overridden is not None and not self.is_tripped


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """A strategy on a symbol: its last answer, and in how many bars of the session it gave it.

    Attributes
    ----------
    is_paused
        The operator paused it: no entries, and it keeps watching its exits.
    reasons
        Each reason for not trading of this session with its bars, most frequent first.
    figures
        Its figures, name and value as text: `VWAP 167.29`.
    trouble
        Its fault: missing, failed, or paused for that; empty if there is none.
    is_off
        Its table does not enable it: no entries, which is not a fault.
    is_missing
        It does not load: nothing is proposed for it, and only the desk watches its position.
    shut
        Why the desk itself blocks its entries now, as text; empty if it does not (ST-10).
    may_be_resumed, needs_word
        Whether a suspension waits for the operator, in this market or in another; whether a typed word ends it.
    evaluation
        Last night's result and the state of its theses, label and text; none before its first.
    proposed, proposed_pause
        Why and by how much its allocation is proposed to grow; why a pause is proposed. Empty if it is not.
    """

    FIRST: ClassVar = ("strategy", "symbol", "last_answer", "times", "is_paused")

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
    needs_word: bool = False
    proposed_pause: str = ""


@dataclass(frozen=True, slots=True)
class DeskView:
    """Everything on the screen. Each field with rows, or with a value of its own, is a table of `keyturn export`.

    Attributes
    ----------
    number
        Grows with every view that differs from the one before.
    staged
        Proposals staged since the start: the bell rings when it grows.
    endings
        The last proposals that ended, newest last.
    refusals
        Proposals not staged, not confirmed or not sent, with every reason; newest last.
    chart
        Of the symbol that the console watches; None without one.
    failed_closes
        Failed closes since the start, each with its reason; newest last.
    plan
        The open or running basket, or the last one; None if there was none.
    away
        The current or last absence from all desks; None before the first.
    others, foreign
        External orders at the broker, and positions of kinds that this desk does not trade.
    alerts
        The alerts kept.
    rung
        Number of alerts that ever rang: the bell rings when it grows.
    days
        The results of each day, oldest first, today's last.
    actions
        Upcoming dividends, splits and the like of followed symbols, next one first.
    news
        The headlines of followed symbols in the last 24 hours.
    earnings
        The next known report of each symbol of the operator's file, next one first.
    lists
        Symbols blocked for entries, by symbol (RK-26).
    drafts
        Drafts of agents that wait for the operator, oldest first; nothing of them is staged (OP-09).
    agent_oversteps
        Count of attempts of agents to do more than read and draft: the bell rings when it grows.
    touch
        The enrolled security keys (OP-15).
    groups, measures
        The closed trades of each period by group, and the account over the last sessions (AN-01).
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
    news: NewsView = NO_NEWS
    earnings: tuple[NextEarnings, ...] = ()
    lists: tuple[ListedSymbol, ...] = ()
    drafts: tuple[DraftRow, ...] = ()
    agent_oversteps: int = 0
    touch: TouchView = NO_TOUCH
    groups: tuple[GroupRow, ...] = ()
    measures: MeasuresView = NO_MEASURES

    @property
    def account(self) -> AccountId:
        return self.status.account


@dataclass(frozen=True, slots=True)
class EngineLoading:
    """The engine is loading."""

    what: str


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """The engine failed; the message states the reason and the next step."""

    message: str


NEWS = 0.004
"""Minimum real seconds between two views after a record: an opened ticket does not wait for a view."""
PRICES = 0.25
"""The same while only prices move: four per second are readable, and each costs the engine and the desk work."""
REST = 1.0
"""Seconds between two views of a desk without events."""


def is_due(since: float, *, has_news: bool, has_changed: Callable[[], bool]) -> bool:
    """Whether another view is due this many seconds after the last."""
    return (has_news and since >= NEWS) or since >= REST or (since >= PRICES and has_changed())
