"""The orders and trades of a chosen day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.model.values import SHORT_ID
from core.views.results import HistoryDay, HistoryKind, HistoryRow
from widgets import format as f
from widgets.format import short_id, short_ids
from widgets.grid import Align, Cell, Column, Row
from widgets.lines import GAP, MARK_WIDTH, widths_of
from widgets.pane import Pane

LEAST = 34
"""Least width of the text column, in cells."""


WHAT = 3
"""Index of the text column."""


NO_TRADES_YET = "Nothing was read yet."


NOTHING = "No orders and no trades on this day."


NOTHING_FOUND = "The filter finds nothing: no line has all of its words."
BY, MOST_BY = 9, 16
"""Cells of a strategy, and of an agent, at most."""


class History(Pane):
    """History of a day. `worst_first` sorts trades by profit and puts them before orders."""

    NUMBER = 0
    NAME = "History"
    TELLS_THE_REST = True

    def __init__(self) -> None:
        super().__init__(
            _columns(0, 0, 0),
            empty=NO_TRADES_YET,
            id="history",
        )
        self._columns = _columns(0, 0, 0)
        self.day: HistoryDay | None = None
        self.worst_first = False

    def show_rows(self, rows: Sequence[HistoryRow], is_filtered: bool) -> None:
        """Show the rows of the day that match the filter."""
        if self.day is None:
            return
        longest = max((len(row.text) for row in rows), default=0)
        by = max((len(row.strategy) for row in rows), default=0)
        if (columns := _columns(longest, by, self.content_size.width)) != self._columns:
            self._columns = columns
            self.grid.show_columns(columns)
        room = widths_of(columns, self.content_size.width)[WHAT]
        self.grid.show([_history_row(row, room) for row in rows], empty=NOTHING_FOUND if is_filtered else NOTHING)
        counted = Counter(row.kind for row in self.day.rows)
        trades, orders = (_count(counted[kind], kind.value) for kind in (HistoryKind.TRADE, HistoryKind.ORDER))
        parts = [_count(counted[HistoryKind.PART], "partial close")] if counted[HistoryKind.PART] else []
        closed = " and ".join([*([trades] if counted[HistoryKind.TRADE] or not parts else []), *parts])
        told = f"{closed} {f.signed(self.day.realised)} USD, {orders}"
        said = f"{f.day_in_words(self.day.day)}, {told}"
        self.title_with(f"{said}, worst first" if self.worst_first else said)

    def in_order(self, rows: Sequence[HistoryRow]) -> list[HistoryRow]:
        if self.worst_first:
            return sorted(rows, key=lambda row: (row.profit is None, row.profit or Decimal(0)))
        return [*reversed(rows)]


def _columns(longest: int, by: int, width: int) -> tuple[Column, ...]:
    """Return the columns for a width. Strategy and order id are dropped before the text, so no price is cut."""
    columns = (
        Column("TIME", 8),
        Column("SYM", 6),
        Column("P&L USD", 11, Align.RIGHT),
        Column("WHAT", LEAST, stretches=True),
        Column("BY", max(BY, min(by, MOST_BY)), rank=1),
        Column("ORDER", SHORT_ID, rank=2),
    )
    alone = width - MARK_WIDTH + GAP - sum(column.width + GAP for column in columns[:WHAT]) - GAP
    what = replace(columns[WHAT], width=max(LEAST, min(longest, alone)))
    return (*columns[:WHAT], what, *columns[WHAT + 1 :])


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'s' * (number != 1)}"


def _whole(text: str, room: int) -> str:
    """Cut the text after a whole word, because a cut price would read as another price."""
    if room <= 0 or len(text) <= room:
        return text
    return f"{text[: room - 1].rpartition(' ')[0]}…" if " " in text[: room - 1] else "…"


def _history_row(row: HistoryRow, room: int) -> Row:
    is_trade = row.kind is not HistoryKind.ORDER
    return Row(
        row.key,
        (
            Cell(f.clock(row.at), "muted"),
            Cell(row.symbol, "strong"),
            Cell(f.arrowed(row.profit) if is_trade else "", f.tone_of(row.profit)),
            Cell(_whole(short_ids(row.text), room)),
            Cell(row.strategy, "muted"),
            Cell(short_id(row.order), "muted"),
        ),
        copied=in_words(row),
    )


def in_words(row: HistoryRow) -> str:
    """Format a row for the clipboard and for files, with the whole order id."""
    made = "" if row.profit is None else f"{f.signed(row.profit)} USD"
    said = (f.clock(row.at), row.kind.value, row.symbol, made, row.text, row.strategy, row.order)
    return "  ".join(part for part in said if part)
