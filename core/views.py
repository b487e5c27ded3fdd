"""The immutable pictures of the state that the panes draw. Values only: no widget asks the engine anything.

Times are UTC; whoever draws them converts. A figure that is not known is None, and the screen says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.account import Mode
from core.model.connection import Lamp
from core.model.order import Effect, Leg, OrderStatus, OrderType, Side, StopHolder, confirming_key
from core.model.quote import NoQuote, Quote
from core.model.signal import ExitReason
from core.model.sizing import Size
from core.model.staging import Review, Ticket
from core.model.timing import Span
from core.model.values import NO_SHARES, ClientOrderId, Fraction, Money, Price, ProposalId, Quantity, Symbol
from core.risk.scaling.contract import Conditions

NO_CONDITIONS = Conditions()
"""Nothing is known beside the order's own figures."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """The two status lines.

    Attributes
    ----------
    at
        The engine's time when the picture was made.
    word
        starting, on, read-only, halted, killed.
    entries_refused
        Why nothing may be opened (killed, halted, read-only, breaker), or None where entries are on.
    halts
        What halts now, each as `cause: reason`.
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
    """

    at: datetime
    account: str
    mode: Mode
    profile: str
    word: str
    entries_refused: str | None
    exits_refused: str | None
    killed_by: str | None
    killed_at: datetime | None
    halted_at: datetime | None
    halts: tuple[str, ...]
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
    lamps: tuple[Lamp, ...] = ()
    margin_distance: Fraction | None = None
    is_margin_near: bool = False


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """What waits for a key.

    Attributes
    ----------
    expires_at
        None on an exit, which counts up from `staged_at`.
    reference
        What the signal was measured against, VWAP for VWAP; None where there is none.
    replaces, replaces_in_words
        The order whose place it would take, as in `SELL 27 IBM stop 178.20`; None and empty where it takes none.
    moved
        What waiting has brought an exit since its signal, USD, below zero is worse; None where it is not known.
    """

    id: ProposalId
    strategy: str
    side: Side
    effect: Effect
    quantity: Quantity
    symbol: Symbol
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    exit_reason: ExitReason | None
    reference: Price | None
    risk: Money | None
    reason: str
    staged_at: datetime
    expires_at: datetime | None
    is_confirming: bool
    replaces: ClientOrderId | None = None
    replaces_in_words: str = ""
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None

    @property
    def is_guard(self) -> bool:
        """A stop that is moved or put back: it closes nothing now."""
        return self.type.is_stop and self.exit_reason is ExitReason.STOP_LOSS

    moved: Money | None = None

    @property
    def is_urgent(self) -> bool:
        """An exit: it goes first, and rings (OP-06)."""
        return self.effect.only_reduces and not self.is_guard

    @property
    def confirming_key(self) -> str:
        return confirming_key(self.effect, self.replaces)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What is held, who holds its stop, and how much of it is covered.

    Attributes
    ----------
    result_in_risk
        Open profit as a multiple of what was risked to the stop (R); None without a stop.
    stop_price, nearer_stops
        The farthest of the stops that work, or the planned one where none does; and the others, the nearest first.
    covered
        Shares that stops and exits at the broker would close; the rest is on YOU.
    in_doubt, doubt
        Shares that others would close if they arrived, and what those are: `stop`, `exit`, `exit and stop`.
    has_bracket
        Legs that the broker made with its entry, or a pair of exits, work for it.
    held_by_others
        Which orders of somebody else's hold its shares, and what to do; empty where none does.
    """

    key: str
    symbol: Symbol
    strategy: str
    quantity: Quantity
    average_price: Price
    last: Price | None
    last_at: datetime | None
    profit: Money | None
    result_in_risk: Decimal | None
    stop_price: Price | None
    holder: StopHolder
    covered: Quantity
    is_closing: bool
    has_bracket: bool = False
    in_doubt: Quantity = NO_SHARES
    doubt: str = ""
    held_by_others: str = ""
    nearer_stops: tuple[Price, ...] = ()

    @property
    def bare(self) -> Quantity:
        """Shares that nothing at the broker closes, nor anything that is in doubt."""
        return Quantity(max(abs(self.quantity) - self.covered - self.in_doubt, Decimal(0)))


IN_DOUBT = "in doubt"
"""The mark of an order that was sent, and of which the broker has said nothing."""
WARNED = "WARNED"
"""The mark of an order whose warning by the broker waits for the operator (OP-11)."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of today, with the legs that it was sent with.

    `is_paired` says that the broker cancels a stop with it: it is the target of a pair.
    `taken_back_at` is when an entry is cancelled whose warning nobody confirms; None where it stands.
    `marks` are words: cancelling, in doubt, late fill, being replaced, replaces, replaced, waits for its entry.
    """

    id: ClientOrderId
    strategy: str
    side: Side
    effect: Effect
    quantity: Quantity
    symbol: Symbol
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    status: OrderStatus
    filled_quantity: Quantity
    average_price: Price | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None
    is_protective: bool
    marks: tuple[str, ...]
    reason: str
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    legs: tuple[Leg, ...] = ()
    is_paired: bool = False
    warnings: tuple[str, ...] = ()
    taken_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One thing that happened; `sequence` is its number in the journal."""

    sequence: int
    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplacedView:
    """The order whose place a ticket's order would take, as it stands now.

    Attributes
    ----------
    price
        Its limit or its stop.
    average_price
        What the position that its stop guards was paid on average; None for an entry.
    result_before, result_after
        USD that the guarded position makes where the stop acts, before and after: below zero is a loss; None for an
        entry.
    """

    quantity: Quantity
    filled_quantity: Quantity
    price: Price | None
    average_price: Price | None
    result_before: Money | None
    result_after: Money | None


@dataclass(frozen=True, slots=True)
class MarginView:
    """What an entry does to a margin account.

    Attributes
    ----------
    initial
        What the broker requires to open it, USD.
    before, after
        Distance to maintenance, as a share of equity, now and with it.
    overnight
        What may be spent on it where it is held over the night, USD; None where that is enough, or not told.
    """

    initial: Money
    before: Fraction
    after: Fraction
    overnight: Money | None


@dataclass(frozen=True, slots=True)
class TicketView:
    """An open ticket, alive.

    Attributes
    ----------
    now
        The checks as they stand at this picture, on the last figures seen; what counts is asked fresh at the key.
    refused_because
        Why the last key on it was refused; empty where none was.
    is_confirming
        The key was turned; fresh figures are on their way.
    put_back_in_words
        The stops that are asked for again for what a part close leaves, the nearest first.
    replaced
        What makes way for it; None where it replaces nothing.
    capped_by
        The limit that keeps the order from being larger, in words; None where none does.
    moved
        The quote's middle against the signal's price, as a fraction; None where no signal made it.
    average_price
        What was paid (a short: received) for what is held; None where nothing is.
    size
        What the desk would give such an order now, with every term of it; None where it gives none.
    margin
        What it does to the account's margin; None where nothing is lent, it closes, or the broker does not say.
    """

    ticket: Ticket
    proposal: ProposalRow
    quote: Quote | NoQuote
    now: Review
    refused_because: tuple[str, ...]
    is_confirming: bool
    signal_time: datetime
    reason: str
    cancels_in_words: tuple[str, ...]
    quantity_after: Quantity
    put_back_in_words: tuple[str, ...] = ()
    replaced: ReplacedView | None = None
    capped_by: str | None = None
    moved: Decimal | None = None
    average_price: Price | None = None
    size: Size | None = None
    margin: MarginView | None = None


@dataclass(frozen=True, slots=True)
class ProtectionRow:
    """One guard of entries: its measure against its limit (RK-09).

    Attributes
    ----------
    measure
        In words with its limit and unit: `0.00 of 2,000 USD`.
    used
        Measure over limit, 0 to 1; None where it is not a ratio.
    reason
        Why it is tripped, or what it watches.
    since, until
        When it tripped, and when the state that it is in ends by itself; None where that is not known, or does not.
    override
        What overriding it would let pass, in words; empty where it cannot be overridden now.
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


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A position of today from open to flat. `slippage` in USD, positive is worse."""

    key: str
    strategy: str
    symbol: Symbol
    quantity: Quantity
    entry_time: datetime
    entry_price: Price
    exit_time: datetime
    exit_price: Price
    exit_reason: ExitReason
    profit: Money
    slippage: Money


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """What was declined, expired or blocked today, and what it would have made (OP-12).

    Attributes
    ----------
    end
        declined, expired, blocked.
    state
        `waits` until its limit was touched, then `open`, then what ended it: stop, target, close. One that `close`
        ended without a result never touched it.
    result
        USD, at the last close while it is open; None while its limit was not touched.
    """

    key: str
    strategy: str
    symbol: Symbol
    side: Side
    quantity: Quantity
    entry_price: Price
    end: str
    state: str
    result: Money | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A strategy's day.

    Attributes
    ----------
    realised, unrealised
        USD: profit of today's closed trades; of trades that are not flat yet, what they closed so far included. The
        second is None where a price is not known.
    declined, shadow
        Entries of today that were declined, expired or blocked, and what they would have made together; None where
        no limit of theirs was touched.
    """

    strategy: str
    trades: int
    wins: int
    realised: Money
    unrealised: Money | None
    declined: int
    shadow: Money | None


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One complete minute. `reference` is the strategy's own line at that bar, VWAP for VWAP."""

    start: datetime
    open: Price
    high: Price
    low: Price
    close: Price
    reference: Price | None


@dataclass(frozen=True, slots=True)
class ChartFill:
    at: datetime
    side: Side
    price: Price


@dataclass(frozen=True, slots=True)
class ChartView:
    """The watched symbol's session, as far as this desk has seen it; `entry` and `stop` are of what is held."""

    symbol: Symbol
    bars: tuple[ChartBar, ...]
    entry: Price | None
    stop: Price | None
    fills: tuple[ChartFill, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a proposal that waits no more: sent, declined, expired, blocked, withdrawn."""

    proposal_id: ProposalId
    end: str
    reason: str


@dataclass(frozen=True, slots=True)
class KillView:
    """What the kill screen and its banner say."""

    entries_working: tuple[OrderRow, ...]
    stops_working: tuple[OrderRow, ...]
    uncovered: tuple[PositionRow, ...]


@dataclass(frozen=True, slots=True)
class SymbolView:
    """What the order form shows of a symbol that the desk knows.

    Attributes
    ----------
    quantity_step
        Smallest part of a share that the broker takes.
    short_refused
        Why it cannot be sold short, or None where it can.
    conditions
        What an order in it, typed by hand, is sized by (RK-10).
    """

    symbol: Symbol
    quote: Quote | None
    last: Price | None
    is_fractionable: bool
    last_at: datetime | None = None
    quantity_step: Decimal = Decimal(1)
    short_refused: str | None = "the broker has not said yet"
    conditions: Conditions = NO_CONDITIONS


@dataclass(frozen=True, slots=True)
class SizingView:
    """What sizes an order typed by hand (RK-02), USD; None where it needs an equity that is not known."""

    risk: Money | None
    max_notional: Money | None


NO_SIZING = SizingView(None, None)


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

    spans: tuple[Span, ...] = ()
    sent: int = 0
    invalid: int = 0
    rejected: int = 0
    calls: tuple[tuple[str, int], ...] = ()
    breaker: str = "closed"
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
    """

    number: int
    status: StatusView
    proposals: tuple[ProposalRow, ...]
    positions: tuple[PositionRow, ...]
    orders: tuple[OrderRow, ...]
    log: tuple[LogRow, ...]
    tickets: tuple[TicketView, ...]
    endings: tuple[Ending, ...]
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
