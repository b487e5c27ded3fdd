"""Results: trades, shadow trades, sums, charts, and the past days."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from core.analytics.groups import mark_of
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.session import HOME
from core.model.signal import ExitReason
from core.model.values import (
    NO_MONEY,
    NO_SHARES,
    SUB_PENNY,
    ZERO,
    ClientOrderId,
    Fraction,
    Money,
    Price,
    Quantity,
    Symbol,
)


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A position of today from open to flat, as in a `Trade`: `profit` is less `fees`; USD.

    With `is_part` what one exit order closed today of a position that is still open.
    """

    FIRST: ClassVar = (
        "symbol",
        "strategy",
        "quantity",
        "entry_time",
        "entry_price",
        "exit_time",
        "exit_price",
        "profit",
        "is_part",
    )

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
    meant: ExitReason | None = None
    fees: Money = NO_MONEY
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """An entry declined, expired or blocked today, with its shadow result (OP-12).

    Attributes
    ----------
    end
        declined, expired, blocked.
    state
        `waits` until its limit was touched, then `open`, then the reason of its end: stop, target, close. With `close`
        and no result its limit was never touched. Any other says why it is counted and not followed.
    result
        USD, at the last close while it is open; None while its limit was not touched.
    """

    FIRST: ClassVar = ("symbol", "strategy", "side", "quantity", "end", "state", "result")

    key: str
    strategy: str
    symbol: Symbol
    side: Side
    quantity: Quantity
    entry_price: Price | None
    end: str
    state: str
    result: Money | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A strategy's day.

    Attributes
    ----------
    realised, unrealised
        USD: the profit of today's fills, partial exits included, less fees; and of open positions at the last prices.
        The second is None if a price is unknown.
    failed, failed_realised
        Trades that failed in execution and the profit of their fills of today, USD: no trading result, and in no other
        figure of the row (EX-18).
    declined, left_out, shadow
        Entries of today that were declined, expired or blocked, those of them that are not followed, and the total
        shadow result of the others; None if no limit was touched.
    in_part
        Open positions of which a part was closed today.
    """

    FIRST: ClassVar = ("strategy", "trades", "wins", "realised", "unrealised", "shadow")

    strategy: str
    trades: int
    wins: int
    realised: Money
    unrealised: Money | None
    declined: int
    shadow: Money | None
    failed: int = 0
    in_part: int = 0
    left_out: int = 0
    failed_realised: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """The closed trades of a strategy, or of manual trading, on one day; `profit` of its fills, less fees, USD.

    Those that failed in execution are counted in `failed` and `failed_profit` alone (EX-18).
    """

    strategy: str
    trades: int
    wins: int
    profit: Money
    failed: int = 0
    failed_profit: Money = NO_MONEY

    @property
    def closed(self) -> int:
        return self.trades + self.failed

    @property
    def made(self) -> Money:
        """What the account made, USD."""
        return Money(self.profit + self.failed_profit)


@dataclass(frozen=True, slots=True)
class DayRow:
    """A trading day, USD.

    Attributes
    ----------
    equity
        The account's value at its start, less the fees of earlier days that the broker took later; None if it was not
        reported.
    charged
        The fees without an order that name this day, below zero; no trade has them.
    """

    FIRST: ClassVar = ("day", "equity")

    day: date
    equity: Money | None
    closed: tuple[ClosedRow, ...]
    charged: Money = NO_MONEY

    @property
    def trades(self) -> int:
        """Return how many trades closed, those that failed in execution included."""
        return sum(row.closed for row in self.closed)

    @property
    def profit(self) -> Money:
        """Return the realized profit of all of them, USD."""
        return Money(sum((row.made for row in self.closed), NO_MONEY))


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The closed trades of one group in a period, USD (AN-01).

    Attributes
    ----------
    by
        What they have in common: `strategy`, `symbol`, `half_hour` and `regime` of the entry, `reason` of the exit.
    gained, lost
        Sums of the trades with a profit, and of those with a loss, below zero.
    is_failed
        They failed in execution: their number and sum are no result of a group (EX-18).
    """

    FIRST: ClassVar = ("period", "by", "name", "trades", "wins", "profit", "expectancy", "mean_gain", "mean_loss")

    key: str
    period: str
    by: str
    name: str
    trades: int
    wins: int
    losses: int
    gained: Money
    lost: Money
    is_failed: bool = False

    @property
    def profit(self) -> Money:
        return Money(self.gained + self.lost)

    @property
    def win_rate(self) -> Fraction | None:
        return None if self.is_failed or not self.trades else Fraction(Decimal(self.wins) / self.trades)

    @property
    def mark(self) -> str:
        """Return ▲ for a half-hour that won over 60 % of its trades, ▼ under 40 %, else nothing."""
        return mark_of(self.win_rate) if self.by == "half_hour" else ""

    @property
    def expectancy(self) -> Money | None:
        """Return the mean profit of a trade, USD."""
        return None if self.is_failed or not self.trades else Money(self.profit / self.trades)

    @property
    def mean_gain(self) -> Money | None:
        return None if self.is_failed or not self.wins else Money(self.gained / self.wins)

    @property
    def mean_loss(self) -> Money | None:
        """Return the mean result of those with a loss, USD, below zero."""
        return None if self.is_failed or not self.losses else Money(self.lost / self.losses)


@dataclass(frozen=True, slots=True)
class MeasuresView:
    """The account over the last sessions, by its closes, and its highest figure so far (AN-01).

    Attributes
    ----------
    sessions, returns
        The sessions that the measures need, and how many returns are known of them: with fewer all are None.
    sharpe, sortino, calmar
        Made a year's.
    watermark
        The highest account figure, USD; what was paid in and out since is in it.
    watermark_day, watermark_at
        Its day, and when the broker had it; the second is None of a recorded close.
    below
        By how much the last figure is below it, USD; None without one.
    below_sessions
        Sessions since that day.
    """

    sessions: int = 0
    returns: int = 0
    total_return: Fraction | None = None
    sharpe: Decimal | None = None
    sortino: Decimal | None = None
    calmar: Decimal | None = None
    max_drawdown: Fraction | None = None
    watermark: Money | None = None
    watermark_day: date | None = None
    watermark_at: datetime | None = None
    below: Money | None = None
    below_sessions: int = 0

    @property
    def below_fraction(self) -> Fraction | None:
        """Return the fall from the watermark, as a fraction of it."""
        if self.below is None or not self.watermark or self.watermark < 0:
            return None
        return Fraction(self.below / self.watermark)


NO_MEASURES = MeasuresView()


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One complete minute, or a longer bar. `reference` is the strategy's own line at that bar, VWAP for VWAP."""

    FIRST: ClassVar = ("start", "open", "high", "low", "close", "volume")

    start: datetime
    open: Price
    high: Price
    low: Price
    close: Price
    reference: Price | None
    volume: Quantity = NO_SHARES


@dataclass(frozen=True, slots=True)
class ChartFill:
    at: datetime
    side: Side
    price: Price


@dataclass(frozen=True, slots=True)
class ChartView:
    """The watched symbol's session, as far as it is known; `entries` and `stops` are of each position in it.

    `hours` and `days` are bars of earlier sessions, oldest first; empty until the market's history is loaded.
    """

    symbol: Symbol
    bars: tuple[ChartBar, ...]
    entries: tuple[Price, ...]
    stops: tuple[Price, ...]
    fills: tuple[ChartFill, ...]
    hours: tuple[ChartBar, ...] = ()
    days: tuple[ChartBar, ...] = ()


class HistoryKind(StrEnum):
    ORDER = "order"
    TRADE = "trade"
    PART = "part"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An order created on that day, a trade that ended on it, or an exit that closed part of a position.

    Attributes
    ----------
    strategy
        Who asked for it: a strategy, `manual`, or the agent of a draft, as `agent claude`.
    order
        The order's id, or that of the exit that closed the trade; its chain explains the row.
    at
        When it was created or closed, UTC.
    text
        The order or trade and its result, as text.
    profit
        Of a trade and of a partial exit, less fees, USD; None for an order.
    """

    FIRST: ClassVar = ("at", "symbol", "text", "profit")

    kind: HistoryKind
    order: ClientOrderId
    at: datetime
    symbol: Symbol
    strategy: str
    text: str
    profit: Money | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.order}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """`days` are the journal's days, oldest first; `rows` are in the order in which they ended.

    `realised` is the profit of all fills of the day, less their fees, USD (AN-01).
    """

    day: date
    days: tuple[date, ...]
    rows: tuple[HistoryRow, ...] = ()
    realised: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class ChartPast:
    """The history of one symbol.

    Attributes
    ----------
    day
        The trading day of the request.
    days
        One bar for each session before today's, oldest first; each begins at its midnight.
    hours
        The last of those sessions by the hours of the market's clock.
    minutes
        Today's, oldest first.
    until
        Time up to which they are complete, UTC.
    """

    symbol: Symbol
    day: date
    days: tuple[ChartBar, ...]
    hours: tuple[ChartBar, ...]
    minutes: tuple[Bar, ...]
    until: datetime


Past = Callable[[Symbol, date, datetime], ChartPast | None]
"""Return the history of a trading day, up to at least an instant; None while it is unknown.

A call also requests it; it does not wait.
"""


def nothing_before(_symbol: Symbol, _day: date, _until: datetime) -> ChartPast | None:
    return None


def hours_of(minutes: Iterable[Bar]) -> tuple[ChartBar, ...]:
    """Combine minutes into bars from the full hours of the market's clock, each with its day's VWAP so far."""
    made: list[ChartBar] = []
    measured = DayVwap()
    for minute in minutes:
        start = full_hour(minute.start)
        if made and made[-1].start == start:
            made[-1] = _with(made[-1], minute)
        else:
            _close(made, measured)
            if not made or HOME.day_of(made[-1].start) != HOME.day_of(start):
                measured = DayVwap()
            made.append(bar_at(start, minute))
        measured.take(minute)
    _close(made, measured)
    return tuple(made)


def day_of(midnight: datetime, minutes: Iterable[Bar]) -> ChartBar | None:
    """Combine the minutes of one session into one bar with its VWAP; None without minutes."""
    made: list[ChartBar] = []
    measured = DayVwap()
    for minute in minutes:
        made = [bar_at(midnight, minute)] if not made else [_with(made[0], minute)]
        measured.take(minute)
    _close(made, measured)
    return made[0] if made else None


class DayVwap:
    """VWAP of a day as the strategy computes it: the minutes' typical prices, weighted by volume."""

    def __init__(self) -> None:
        self._volume = self._weighted = ZERO

    def take(self, bar: Bar | ChartBar) -> None:
        self._volume += bar.volume
        self._weighted += (bar.high + bar.low + bar.close) * bar.volume

    def price(self) -> Price | None:
        """Return VWAP so far, to a hundredth of a cent; None without volume."""
        return Price((self._weighted / (3 * self._volume)).quantize(SUB_PENNY)) if self._volume else None


def _close(made: list[ChartBar], measured: DayVwap) -> None:
    """Complete the last bar with VWAP at its end."""
    if made:
        made[-1] = replace(made[-1], reference=measured.price())


def full_hour(at: datetime) -> datetime:
    return at - timedelta(minutes=HOME.local(at).minute)


def bar_at(start: datetime, bar: Bar) -> ChartBar:
    """Return a chart bar without a strategy's line."""
    return ChartBar(start, bar.open, bar.high, bar.low, bar.close, None, bar.volume)


def _with(hour: ChartBar, minute: Bar) -> ChartBar:
    return replace(
        hour,
        high=max(hour.high, minute.high),
        low=min(hour.low, minute.low),
        close=minute.close,
        volume=Quantity(hour.volume + minute.volume),
    )
