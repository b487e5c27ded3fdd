"""Sorted positions, and their sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from core.model.order import StopHolder
from core.model.values import Symbol
from core.views import PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine

Changes = Mapping[Symbol, Decimal | None]
"""Change of the price since the previous session's close, as a fraction, by symbol."""

SMALLEST = Decimal("-Infinity")
"""Unknown figures sort last."""


def _known(figure: Decimal | None) -> Decimal:
    return SMALLEST if figure is None else figure


def _unheld(row: PositionRow) -> Decimal:
    """Return the fraction of the position without an active stop at the broker."""
    if row.holder is not StopHolder.BROKER or row.acts_from is not None:
        return Decimal(1)
    return 1 - row.covered / abs(row.quantity)


ORDERS: Mapping[str, Callable[[PositionRow, Changes], Decimal]] = {
    "QTY": lambda row, _: abs(row.quantity),
    "AVG": lambda row, _: row.average_price,
    "LAST ": lambda row, _: _known(row.last),
    "VALUE": lambda row, _: SMALLEST if row.value is None else abs(row.value),
    "P&L USD": lambda row, _: _known(row.profit),
    "P&L %": lambda row, _: _known(row.profit_fraction),
    "DAY": lambda row, changes: _known(changes.get(row.symbol)),
    "R": lambda row, _: _known(row.result_in_risk),
    "STOP": lambda row, _: _known(row.standing_stop),
    "HELD BY": lambda row, _: _unheld(row),
}
"""Sort figure by column title; the greatest comes first."""
TITLES = ("", "SYM", *ORDERS)
"""Titles that `<` and `>` step through; the first keeps the original order."""


def in_order(rows: Sequence[PositionRow], title: str, changes: Changes) -> list[PositionRow]:
    """Sort by the column of that title; rows with equal figures keep their order."""
    if title in ORDERS:
        return sorted(rows, key=lambda row: ORDERS[title](row, changes), reverse=True)
    return sorted(rows, key=lambda row: row.symbol) if title else list(rows)


def sum_line(rows: Sequence[PositionRow]) -> TextLine:
    """Format `value 9,758.00 USD;  P&L +34.43 USD, +0.35 %` over positions with a price.

    Long, short and net are added if there are both.
    """
    values = [row.value for row in rows if row.value is not None]
    longs = sum((value for value in values if value > 0), Decimal(0))
    shorts = sum((value for value in values if value < 0), Decimal(0))
    unknown = len(rows) - len(values)
    known = [row for row in rows if row.profit is not None]
    profit = sum((row.profit for row in known if row.profit is not None), Decimal(0))
    paid = sum((row.paid for row in known), Decimal(0))
    words = f"value {f.money(longs - shorts)} USD"
    if longs and shorts:
        words = f"long {f.money(longs)}, short {f.money(-shorts)}, net {f.signed(longs + shorts)} USD"
    line: list[Cell] = [Cell(f"  {words}", "muted")]
    if known:
        share = f.signed_percent(profit / paid if paid else None)
        line += [Cell(";  P&L ", "muted"), Cell(f"{f.signed(profit)} USD, {share}", f.tone_of(profit))]
    if unknown:
        line.append(Cell(f"; {unknown} without a price", "warning"))
    return tuple(line)
