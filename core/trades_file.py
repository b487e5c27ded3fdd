"""A history of closed trades from a CSV file: `open_time,close_time,symbol,side,profit_ratio,exit_reason`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from core.csv_table import FIRST_ROW, Row, TableError, columns_of, rows_of, shown, text_of
from core.model.signal import ExitReason
from core.model.values import Symbol
from core.risk.protections.trades import ClosedTrade, Direction, ratio_of

COLUMNS = ("open_time", "close_time", "symbol", "side", "profit_ratio", "exit_reason")
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


def read_trades(path: Path) -> list[ClosedTrade]:
    """Every trade of a file, by the time it closed; a header alone is a history of none.

    Times have a zone, or are UTC.

    Raises
    ------
    TableError
        At the first row that cannot be believed: a history with a hole would trip too little.
    """
    rows = rows_of(path, text_of(path), "trade", may_be_none=True)
    columns = columns_of(path, rows[0], COLUMNS)
    trades = [_trade(f"{path}:{number}", row, columns) for number, row in enumerate(rows[1:], FIRST_ROW)]
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
    if max(columns) >= len(row):
        raise TableError(f"{place}: the line has {len(row)} fields, {max(columns) + 1} are needed; complete it")
    opened, closed, symbol, side, ratio, reason = (row[column].strip() for column in columns)
    opened_at, closed_at = _moment(place, "open_time", opened), _moment(place, "close_time", closed)
    if closed_at < opened_at:
        raise TableError(f"{place}: close_time {shown(closed)} is before open_time {shown(opened)}; mend the row")
    if not symbol:
        raise TableError(f"{place}: symbol is empty; name it")
    if side.lower() not in set(Direction):
        raise TableError(f"{place}: side {shown(side)} must be long or short")
    if reason.lower() not in REASONS:
        raise TableError(f"{place}: exit_reason {shown(reason)} is not known; write one of {', '.join(REASONS)}")
    return ClosedTrade(
        symbol=Symbol(symbol.upper()),
        direction=Direction(side.lower()),
        opened_at=opened_at,
        closed_at=closed_at,
        ratio=ratio_of(_ratio(place, ratio)),
        exit_reason=REASONS[reason.lower()],
    )


def _moment(place: str, name: str, text: str) -> datetime:
    moment = moment_of(text)
    if moment is None:
        raise TableError(f"{place}: {name} {shown(text)} is no time such as 2026-11-20T14:31:00Z")
    return moment


def _ratio(place: str, text: str) -> Decimal:
    try:
        ratio = Decimal(text)
    except InvalidOperation:
        raise TableError(f"{place}: profit_ratio {shown(text)} is no number such as -0.003") from None
    if not (ratio.is_finite() and SMALLEST <= ratio <= LARGEST):
        raise TableError(f"{place}: profit_ratio {shown(text)} is no ratio such as -0.003")
    return ratio
