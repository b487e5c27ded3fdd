"""Read a history of closed trades from a CSV file: `open_time,close_time,symbol,side,profit_ratio,exit_reason`.

The trades table of a backtest is accepted too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from core.files.csv_table import Record, Table, TableError, shown, text_of
from core.model.instrument import ANY_SHARE
from core.model.signal import ExitReason
from core.model.symbols import small_letters, symbol_in
from core.risk.protections.closed_trades import ClosedTrade, Direction, ratio_of

COLUMNS = ("open_time", "close_time", "symbol", "side", "profit_ratio", "exit_reason")
OF_A_BACKTEST = (
    "entry_time",
    "exit_time",
    "symbol",
    "entry_price",
    "exit_price",
    "quantity",
    "profit",
    "exit_reason",
)
"""The columns used of the trades table that `keyturn backtest --csv` writes."""
ELSEWHERE: Mapping[str, ExitReason] = {
    "stoploss_on_exchange": ExitReason.STOP_LOSS,
    "liquidation": ExitReason.STOP_LOSS,
    "trailing_stop_loss": ExitReason.TRAILING_STOP,
    "roi": ExitReason.TAKE_PROFIT,
    **dict.fromkeys(("exit_signal", "force_exit", "emergency_exit", "custom_exit"), ExitReason.MANUAL),
}
"""freqtrade's exit reasons mapped to ours; any other than a stop or a target is `MANUAL`."""
REASONS: Mapping[str, ExitReason] = {**{reason.value.lower(): reason for reason in ExitReason}, **ELSEWHERE}
YEARS = range(1900, 2200)
SMALLEST, LARGEST = Decimal(-1_000_000), Decimal(1_000_000)
"""The limits of a plausible ratio."""
MOST = Decimal(10) ** 12
"""The limit of any figure of a trade, in USD or shares."""


def read_trades(path: Path) -> list[ClosedTrade]:
    """Return every trade of a file, by closing time; a header alone is an empty history.

    Times have a zone, or are UTC.

    Raises
    ------
    TableError
        At the first invalid row: a history with a gap would trip too few protections.
    """
    table = Table(path, text_of(path), "trade", may_be_none=True)
    is_ours = "entry_time" in table.header
    read = _of_a_backtest if is_ours else _trade
    trades = [read(row) for row in table.records(OF_A_BACKTEST if is_ours else COLUMNS)]
    return sorted(trades, key=lambda trade: trade.closed_at)


def moment_of(text: str) -> datetime | None:
    """Parse an instant, UTC without a zone; None if invalid, or outside `YEARS`."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
        return moment if moment.year in YEARS else None
    except (ValueError, OverflowError):
        return None


def _trade(row: Record) -> ClosedTrade:
    if small_letters(row["side"]) not in set(Direction):
        raise row.fault("side", "must be long or short")
    ratio = row.number("profit_ratio", "-0.003")
    if not SMALLEST <= ratio <= LARGEST:
        raise row.fault("profit_ratio", "is no ratio such as -0.003")
    return _closed(row, "open_time", "close_time", Direction(small_letters(row["side"])), ratio)


def _of_a_backtest(row: Record) -> ClosedTrade:
    """Return a trade of a backtest.

    The ratio is profit to the amount paid or received; the side is the one that fits the profit.

    The table has no instrument: backtests trade shares.
    """
    first, last, quantity, profit = (_figure(row, name) for name in ("entry_price", "exit_price", "quantity", "profit"))
    staked, rise = ANY_SHARE.cost(quantity, first), ANY_SHARE.profit(quantity, first, last)
    if staked <= 0:
        raise row.fault("entry_price", f"and quantity {shown(row['quantity'])} must be above zero")
    direction = Direction.LONG if abs(profit - rise) <= abs(profit + rise) else Direction.SHORT
    return _closed(row, "entry_time", "exit_time", direction, profit / staked)


def _closed(row: Record, opened: str, closed: str, direction: Direction, ratio: Decimal) -> ClosedTrade:
    """Return a trade; `opened` and `closed` name its time columns. Raises `TableError`."""
    opened_at, closed_at = _moment(row, opened), _moment(row, closed)
    if closed_at < opened_at:
        raise row.fault(closed, f"is before {opened} {shown(row[opened])}; fix the row")
    symbol = symbol_in(row["symbol"])
    if symbol is None:
        raise row.fault("symbol", "is no symbol such as SPY")
    if small_letters(row["exit_reason"]) not in REASONS:
        raise row.fault("exit_reason", f"is not known; write one of {', '.join(REASONS)}")
    if not SMALLEST <= ratio <= LARGEST:
        raise TableError(f"{row.place}: a profit of {ratio:.3g} times what was staked cannot be; fix the row")
    return ClosedTrade(
        symbol=symbol,
        direction=direction,
        opened_at=opened_at,
        closed_at=closed_at,
        ratio=ratio_of(ratio),
        exit_reason=REASONS[small_letters(row["exit_reason"])],
    )


def _moment(row: Record, name: str) -> datetime:
    moment = moment_of(row[name])
    if moment is None:
        raise row.fault(name, "is no time such as 2026-11-20T14:31:00Z")
    return moment


def _figure(row: Record, name: str) -> Decimal:
    figure = row.number(name, "12.5")
    if abs(figure) >= MOST or (figure and abs(figure) <= 1 / MOST):
        raise row.fault(name, "is no number such as 12.5")
    return figure
