"""A history of closed trades from a CSV file: `open_time,close_time,symbol,side,profit_ratio,exit_reason`.

The table of trades that a backtest writes is another form of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from core.csv_table import FIRST_ROW, Row, TableError, columns_of, fields_of, rows_of, shown, text_of
from core.model.instrument import ANY_SHARE
from core.model.signal import ExitReason
from core.model.values import Symbol
from core.risk.protections.trades import ClosedTrade, Direction, ratio_of

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
"""Columns of the trades that `keyturn backtest --csv` writes, those that are read here."""
ELSEWHERE: Mapping[str, ExitReason] = {
    "stoploss_on_exchange": ExitReason.STOP_LOSS,
    "liquidation": ExitReason.STOP_LOSS,
    "trailing_stop_loss": ExitReason.TRAILING_STOP,
    "roi": ExitReason.TAKE_PROFIT,
    **dict.fromkeys(("exit_signal", "force_exit", "emergency_exit", "custom_exit"), ExitReason.MANUAL),
}
"""freqtrade's words for what ends a trade, as ours; what is neither a stop nor a target is some other end."""
REASONS: Mapping[str, ExitReason] = {**{reason.value.lower(): reason for reason in ExitReason}, **ELSEWHERE}
YEARS = range(1900, 2200)
SMALLEST, LARGEST = Decimal(-1_000_000), Decimal(1_000_000)
"""A ratio beyond them is no ratio."""
MOST = Decimal(10) ** 12
"""USD, or shares: no figure of a trade reaches it."""


def read_trades(path: Path) -> list[ClosedTrade]:
    """Every trade of a file, by the time it closed; a header alone is a history of none.

    Times have a zone, or are UTC.

    Raises
    ------
    TableError
        At the first row that cannot be believed: a history with a hole would trip too little.
    """
    rows = rows_of(path, text_of(path), "trade", may_be_none=True)
    is_ours = "entry_time" in (name.strip().lower() for name in rows[0])
    columns = columns_of(path, rows[0], OF_A_BACKTEST if is_ours else COLUMNS)
    read = _of_a_backtest if is_ours else _trade
    trades = [read(f"{path}:{number}", row, columns) for number, row in enumerate(rows[1:], FIRST_ROW)]
    return sorted(trades, key=lambda trade: trade.closed_at)


def moment_of(text: str) -> datetime | None:
    """An instant, UTC where no zone is written; None where it is none, or of no year that trades are of."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
        return moment if moment.year in YEARS else None
    except (ValueError, OverflowError):
        return None


def _trade(place: str, row: Row, columns: list[int]) -> ClosedTrade:
    opened, closed, symbol, side, ratio, reason = fields_of(place, row, columns)
    if side.lower() not in set(Direction):
        raise TableError(f"{place}: side {shown(side)} must be long or short")
    direction = Direction(side.lower())
    return _closed(
        place, ("open_time", opened), ("close_time", closed), symbol, direction, _ratio(place, ratio), reason
    )


def _of_a_backtest(place: str, row: Row, columns: list[int]) -> ClosedTrade:
    """Its ratio is the profit, as a part of what was paid or received; the side is the one that makes that profit.

    The table names no instrument: what backtests trade are shares.
    """
    entered, left, symbol, entry, exit_, shares, made, reason = fields_of(place, row, columns)
    first, last = _figure(place, "entry_price", entry), _figure(place, "exit_price", exit_)
    quantity, profit = _figure(place, "quantity", shares), _figure(place, "profit", made)
    staked, rise = ANY_SHARE.cost(quantity, first), ANY_SHARE.profit(quantity, first, last)
    if staked <= 0:
        raise TableError(f"{place}: entry_price {shown(entry)} and quantity {shown(shares)} must be above zero")
    direction = Direction.LONG if abs(profit - rise) <= abs(profit + rise) else Direction.SHORT
    return _closed(place, ("entry_time", entered), ("exit_time", left), symbol, direction, profit / staked, reason)


def _closed(
    place: str,
    opened: tuple[str, str],
    closed: tuple[str, str],
    symbol: str,
    direction: Direction,
    ratio: Decimal,
    exit_reason: str,
) -> ClosedTrade:
    """`opened` and `closed` are the names of their columns, and what stands there. Raises `TableError`."""
    opened_at, closed_at = _moment(place, *opened), _moment(place, *closed)
    if closed_at < opened_at:
        raise TableError(
            f"{place}: {closed[0]} {shown(closed[1])} is before {opened[0]} {shown(opened[1])}; mend the row"
        )
    if not symbol:
        raise TableError(f"{place}: symbol is empty; name it")
    if exit_reason.lower() not in REASONS:
        raise TableError(f"{place}: exit_reason {shown(exit_reason)} is not known; write one of {', '.join(REASONS)}")
    if not SMALLEST <= ratio <= LARGEST:
        raise TableError(f"{place}: a profit of {ratio:.3g} times what was staked cannot be; mend the row")
    return ClosedTrade(
        symbol=Symbol(symbol.upper()),
        direction=direction,
        opened_at=opened_at,
        closed_at=closed_at,
        ratio=ratio_of(ratio),
        exit_reason=REASONS[exit_reason.lower()],
    )


def _moment(place: str, name: str, text: str) -> datetime:
    moment = moment_of(text)
    if moment is None:
        raise TableError(f"{place}: {name} {shown(text)} is no time such as 2026-11-20T14:31:00Z")
    return moment


def _figure(place: str, name: str, text: str) -> Decimal:
    try:
        figure = Decimal(text)
    except InvalidOperation:
        raise TableError(f"{place}: {name} {shown(text)} is no number such as 12.5") from None
    if not (figure.is_finite() and abs(figure) < MOST and (not figure or abs(figure) > 1 / MOST)):
        raise TableError(f"{place}: {name} {shown(text)} is no number such as 12.5")
    return figure


def _ratio(place: str, text: str) -> Decimal:
    try:
        ratio = Decimal(text)
    except InvalidOperation:
        raise TableError(f"{place}: profit_ratio {shown(text)} is no number such as -0.003") from None
    if not (ratio.is_finite() and SMALLEST <= ratio <= LARGEST):
        raise TableError(f"{place}: profit_ratio {shown(text)} is no ratio such as -0.003")
    return ratio
