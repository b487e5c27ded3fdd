"""Orders and trades of a day that one turns to, the newest first, or the worst trades first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.views.history import HistoryDay, HistoryKind, HistoryRow
from widgets import format as f
from widgets.grid import Align, Cell, Column, Row
from widgets.identifiers import SHORT, short_id, short_ids
from widgets.pane import Pane

NOTHING_YET = "Nothing was read yet."
NOTHING = "No orders and no trades on this day."
NOTHING_FOUND = "The filter finds nothing: no line has all of its words."


class History(Pane):
    """`worst_first` stands trades before orders, by what they made."""

    NUMBER = 0
    NAME = "History"
    TELLS_THE_REST = True

    def __init__(self) -> None:
        super().__init__(
            (
                Column("TIME", 8),
                Column("SYM", 6),
                Column("P&L USD", 11, Align.RIGHT),
                Column("WHAT", 34, stretches=True),
                Column("BY", 9, rank=1),
                Column("ORDER", SHORT, rank=2),
            ),
            empty=NOTHING_YET,
            id="history",
        )
        self.day: HistoryDay | None = None
        self.worst_first = False

    def show_rows(self, rows: Sequence[HistoryRow], is_filtered: bool) -> None:
        """Of the day; those that the filter lets through."""
        if self.day is None:
            return
        self.grid.show([_row(row) for row in rows], empty=NOTHING_FOUND if is_filtered else NOTHING)
        trades = [row for row in self.day.rows if row.profit is not None]
        made = sum((row.profit or Decimal(0) for row in trades), Decimal(0))
        orders = len(self.day.rows) - len(trades)
        said = f"{f.day_in_words(self.day.day)}, {len(trades)} trades {f.signed(made)} USD, {orders} orders"
        self.title_with(f"{said}, worst first" if self.worst_first else said)

    def in_order(self, rows: Sequence[HistoryRow]) -> list[HistoryRow]:
        if self.worst_first:
            return sorted(rows, key=lambda row: (row.profit is None, row.profit or Decimal(0)))
        return [*reversed(rows)]


def _row(row: HistoryRow) -> Row:
    is_trade = row.kind is HistoryKind.TRADE
    return Row(
        row.key,
        (
            Cell(f.clock(row.at), "muted"),
            Cell(row.symbol, "strong"),
            Cell(f.arrowed(row.profit) if is_trade else "", f.tone_of(row.profit)),
            Cell(short_ids(row.text)),
            Cell(row.strategy, "muted"),
            Cell(short_id(row.order), "muted"),
        ),
        copied=in_words(row),
    )


def in_words(row: HistoryRow) -> str:
    """What is copied of it, and written: with the whole identifier of its order."""
    made = "" if row.profit is None else f"{f.signed(row.profit)} USD"
    said = (f.clock(row.at), row.kind.value, row.symbol, made, row.text, row.strategy, row.order)
    return "  ".join(part for part in said if part)
