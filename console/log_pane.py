"""The log pane with its filter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.filtered_pane import FilteredPane
from console.keymap import KeyScope, bindings_for
from core.model.harmless_text import WARN
from core.model.values import Symbol
from core.views import DeskView, LogRow, OrderRow
from widgets import format as f
from widgets.log import Log, LogLine, folded


class LogPane(FilteredPane, Log):
    BINDINGS = bindings_for(KeyScope.LOG)

    def __init__(self) -> None:
        super().__init__()
        self._all: Sequence[LogLine] = ()
        self._made_of: tuple[Sequence[LogRow], Sequence[OrderRow]] | None = None
        self._now: datetime | None = None

    def show(self, view: DeskView, now: datetime) -> None:
        self._now = now
        if self._made_of != (view.log, view.orders):
            self._made_of = view.log, view.orders
            self._all = folded(view.log, view.orders)
        self.fill()

    def fill(self) -> None:
        shown, count = self.shown(), len(self._all)
        self.show_rows(shown, self._now, count if self.filter else None)
        self.note(self.filter_note(len(shown), count))

    def shown(self) -> list[LogLine]:
        """Return the lines with every word of the filter; an order matches by any step of its life."""
        return [line for line in self._all if self.passes(line.words)]

    def symbol_of(self, key: str) -> Symbol | None:
        """Return the symbol of the line; None while the end is followed, because nobody selected it."""
        if self.grid.follows:
            return None
        line = next((line for line in self._all if str(line.row.sequence) == key), None)
        return None if line is None else line.row.symbol

    def on_grid_moved(self) -> None:
        """Update the frame, which says whether the end is followed."""
        self.fill()

    def action_follow(self) -> None:
        self.follow()
        self.fill()

    def action_write(self) -> None:
        """Write the lines, the newest last, below the filter."""
        self.write("log", [_written(line) for line in self.shown()])


def _written(line: LogLine) -> str:
    """Return the line with its day, its level if not plain, and the whole order id."""
    row = line.row
    said = f"{WARN}: {row.text}" if row.level == WARN else row.text
    order = "" if line.order is None else f"  {line.order}"
    return f"{row.at:%Y-%m-%d} {f.clock(row.at)} {f.PLACE}  {row.kind:<9} {said}{order}"
