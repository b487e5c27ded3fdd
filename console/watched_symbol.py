"""The symbol of the chart and of a new order: that of the selected row in the pane that has or last had the focus."""

from __future__ import annotations

from console.board import Board
from console.client.access import EngineAccess
from core.model.values import Symbol
from core.views import DeskView


class WatchedSymbol:
    """Requests the chart of a new symbol once; no symbol while no chart is visible."""

    def __init__(self, handle: EngineAccess, board: Board) -> None:
        self.handle = handle
        self.board = board
        self.symbol: Symbol | None = None
        self._told: Symbol | None = None

    def look(self, view: DeskView) -> None:
        """Take a new view."""
        self.symbol = self.of(view)
        wanted = self.symbol if self.board.chart.display else None
        if wanted != self._told:
            self._told = wanted
            self.handle.watch(wanted)

    def of(self, view: DeskView) -> Symbol | None:
        """Return the selected row's symbol, else the previous one, else the first known."""
        return self.selected(view) or self.symbol or self._first(view)

    def selected(self, view: DeskView) -> Symbol | None:
        """Return the symbol of the selected row in the focused pane only; in the chart the symbol shown."""
        holder = self.board.holder
        if holder == self.board.chart.id:
            return self.symbol
        key = self.board.selected(holder)
        return None if key is None else self.board.symbol_of(holder, key, view)

    def _first(self, view: DeskView) -> Symbol | None:
        known = (*(row.symbol for row in view.strategies), *(row.symbol for row in view.symbols))
        return next(iter(known), None)
