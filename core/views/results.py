"""Results: trades, shadow trades, sums, the chart of a symbol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.model.order import Side
from core.model.signal import ExitReason
from core.model.values import NO_MONEY, NO_SHARES, Money, Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A position of today from open to flat, as in a `Trade`: `profit` is less `fees`; USD."""

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


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """An entry declined, expired or blocked today, with its shadow result (OP-12).

    Attributes
    ----------
    end
        declined, expired, blocked.
    state
        `waits` until its limit was touched, then `open`, then the reason of its end: stop, target, close. With `close`
        and no result its limit was never touched.
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
        USD: the profit of today's fills, partial exits included, less fees; and of open positions at the last prices.
        The second is None if a price is unknown.
    failed
        Of `trades`, those whose first exit failed: not a trading result, and not part of `wins` (EX-18).
    declined, shadow
        Entries of today that were declined, expired or blocked, and their total shadow result; None if no limit was
        touched.
    in_part
        Positions that are partly closed.
    """

    strategy: str
    trades: int
    wins: int
    realised: Money
    unrealised: Money | None
    declined: int
    shadow: Money | None
    failed: int = 0
    in_part: int = 0


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """The closed trades of a strategy, or of manual trading, on one day; `profit` of its fills, less fees, USD."""

    strategy: str
    trades: int
    wins: int
    profit: Money


@dataclass(frozen=True, slots=True)
class DayRow:
    """A trading day; `equity` is the account's value at its start, USD; None if it was not reported."""

    day: date
    equity: Money | None
    closed: tuple[ClosedRow, ...]

    @property
    def trades(self) -> int:
        return sum(row.trades for row in self.closed)

    @property
    def profit(self) -> Money:
        """Return the realized profit, USD."""
        return Money(sum((row.profit for row in self.closed), NO_MONEY))


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One complete minute, or a longer bar. `reference` is the strategy's own line at that bar, VWAP for VWAP."""

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
